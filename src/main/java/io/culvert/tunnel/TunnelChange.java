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

/** Applies a standalone tunnel to the machine, or removes it. */
final class TunnelChange {

    private final Nftables nftables;
    private final Network network;
    private final WireGuardDevices devices;
    private final ResolvConfFile resolvConf;
    private final Journal journal;
    private final Tunnels before;
    private Optional<Problem> unusable = Optional.empty();

    /** @param before the part of the network state that belongs to Culvert now */
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
     * Brings the tunnel up, or leaves the machine as it was. A new kill switch is activated first; an existing one is
     * only replaced when everything else is done, as the interfaces and addresses that it names may have changed.
     *
     * @param exists whether the tunnel's link exists, from an earlier run
     * @param killSwitch whether the tunnel must not come up without the kill switch
     */
    void raise(TunnelPlan plan, boolean exists, boolean killSwitch) {
        Undo undo = new Undo();
        try {
            if (before.killSwitch().isEmpty()) {
                undo.push("restoring the nftables ruleset", () -> guard(TunnelGuard.shield(before.present()), false));
                guard(plan.guard(), killSwitch);
            }
            if (!exists) {
                undo.push("removing " + plan.link(), () -> remove(plan.link()));
            }
            try (WireGuardDevice device =
                    devices.create(plan.link(), plan.device().listenPort())) {
                undo.push(
                        "restoring routes and rules",
                        () -> network.apply(exists ? before.present() : before.without(plan.link())));
                if (exists) {
                    // The change of the network can be undone, that of the device cannot, so the latter is last.
                    network.apply(plan.all());
                    device.configure(plan.device());
                } else {
                    // A new device that is up already would send its first packets before its routes are complete.
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
                "is not available, so packets to the tunnel's own addresses are accepted from other links too",
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
                    "is managed by " + service
                            + ", which may restore its own nameservers; DNS queries are redirected to those of the"
                            + " tunnel anyway");
        }
        String servers = plan.dnsServers().stream().map(Prefix::text).collect(Collectors.joining(" "));
        return Problem.warning(
                file,
                "is managed by " + service
                        + ", which may restore its own nameservers; DNS queries then go to these, outside the tunnel"
                        + " where they are on the local network",
                service.equals("systemd-resolved")
                        ? "use --kill-switch, or 'resolvectl dns " + plan.link() + " " + servers
                                + "' and 'resolvectl domain " + plan.link() + " ~.'"
                        : "use --kill-switch, or configure the servers of DNS= in that service");
    }

    /**
     * Takes the tunnel down, also where only a part of it is left.
     *
     * @return whether anything was left of it
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

    /** Applies an nftables ruleset; on a machine without nftables, a tunnel without a kill switch comes up anyway. */
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
