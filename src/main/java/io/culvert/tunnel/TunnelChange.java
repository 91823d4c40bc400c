package io.culvert.tunnel;

import io.culvert.device.WireGuardDevice;
import io.culvert.device.WireGuardDevices;
import io.culvert.dns.ResolvConfFile;
import io.culvert.ip.Prefix;
import io.culvert.network.Network;
import io.culvert.network.NetworkState;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.plan.GuardRuleset;
import io.culvert.plan.TunnelGuard;
import io.culvert.plan.TunnelPlan;
import io.culvert.plan.Tunnels;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.run.Journal;
import io.culvert.run.Kernel;
import io.culvert.run.Undo;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What is done to the machine to raise a tunnel alone, or to take it down. */
final class TunnelChange {

    private final Nftables nftables;
    private final Network network;
    private final WireGuardDevices devices;
    private final ResolvConfFile resolvConf;
    private final Journal journal;
    private final Tunnels before;
    private Optional<Problem> unusable = Optional.empty();

    /** @param before what is ours now */
    TunnelChange(
            Kernel kernel, WireGuardDevices devices, ResolvConfFile resolvConf, Journal journal, NetworkState before) {
        this.nftables = kernel.nftables();
        this.network = kernel.network();
        this.devices = devices;
        this.resolvConf = resolvConf;
        this.journal = journal;
        this.before = new Tunnels(before);
    }

    /**
     * All of it, or nothing. A kill switch comes before all else; one that stands already is only replaced when the rest is
     * done, as what it names may have changed.
     *
     * @param exists whether its link is there, from an earlier run
     * @param killSwitch whether it is no tunnel without a guard
     */
    void raise(TunnelPlan plan, boolean exists, boolean killSwitch) {
        Undo undo = new Undo();
        try {
            if (before.killSwitch().isEmpty()) {
                undo.push("taking the guard back", () -> guard(TunnelGuard.shield(before.present()), false));
                guard(plan.guard(), killSwitch);
            }
            if (!exists) {
                undo.push("removing " + plan.link(), () -> remove(plan.link()));
            }
            try (WireGuardDevice device =
                    devices.create(plan.link(), plan.device().listenPort())) {
                undo.push(
                        "taking the network back",
                        () -> network.apply(exists ? before.present() : before.without(plan.link())));
                if (exists) {
                    // The network's change can be taken back, the device's cannot.
                    network.apply(plan.all());
                    device.configure(plan.device());
                } else {
                    // A new device that is up already would send its first packets before all its way is made.
                    device.configure(plan.device());
                    network.apply(plan.all());
                }
            }
            guard(plan.guard(), killSwitch);
        } catch (RuntimeException e) {
            undo.run().forEach(journal::warn);
            throw e;
        }
        tell(unusable.map(problem -> Problem.warning(
                Place.machine("nftables"),
                "cannot be used, so packets to the tunnel's own addresses may come by other links too",
                problem.cure())));
        tell(
                plan.dnsServers().isEmpty()
                        ? resolvConf.release(plan.link())
                        : resolvConf.claim(plan.link(), plan.dnsServers(), plan.searchDomains()));
        if (!plan.dnsServers().isEmpty()) {
            tell(resolvConf.service().map(service -> rewritten(service, plan, killSwitch)));
        }
    }

    private static Problem rewritten(String service, TunnelPlan plan, boolean killSwitch) {
        Place file = Place.machine("/etc/resolv.conf");
        if (killSwitch) {
            return Problem.note(
                    file,
                    "is written by " + service
                            + ", which may put its own servers back; DNS queries are led to those of the"
                            + " tunnel all the same");
        }
        String servers = plan.dnsServers().stream().map(Prefix::text).collect(Collectors.joining(" "));
        return Problem.warning(
                file,
                "is written by " + service
                        + ", which may put its own servers back; names are then asked of these, outside the"
                        + " tunnel where they are on the local network",
                service.equals("systemd-resolved")
                        ? "use --kill-switch, or 'resolvectl dns " + plan.link() + " " + servers
                                + "' and 'resolvectl domain " + plan.link() + " ~.'"
                        : "use --kill-switch, or give that service the servers of DNS=");
    }

    /**
     * Whatever is left of it.
     *
     * @return whether anything was
     */
    boolean lower(String link) {
        boolean was = remove(link) || before.has(link);
        NetworkState rest = before.without(link);
        network.apply(rest);
        boolean others =
                before.killSwitch().filter(other -> !other.equals(link)).isPresent();
        if (!others) {
            guard(TunnelGuard.shield(rest), false);
        }
        tell(resolvConf.release(link));
        return was;
    }

    private boolean remove(String link) {
        Optional<WireGuardDevice> device = devices.find(link);
        device.ifPresent(found -> {
            found.remove();
            found.close();
        });
        return device.isPresent();
    }

    /** A machine without nftables still gets its tunnel, where nothing asks for a kill switch. */
    private void guard(List<Table> tables, boolean needed) {
        if (unusable.isPresent()) {
            return;
        }
        try {
            if (tables.isEmpty()) {
                nftables.remove(GuardRuleset.ALL);
            } else if (!nftables.matches(tables)) {
                nftables.apply(tables);
            }
        } catch (ProblemException e) {
            unusable = nftables.probe();
            if (needed || unusable.isEmpty()) {
                throw e;
            }
        }
    }

    private void tell(Optional<Problem> problem) {
        journal.problems(problem.stream().toList());
    }
}
