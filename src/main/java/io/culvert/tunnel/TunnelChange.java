// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.UndoStack;
import io.culvert.dns.ResolvConfFile;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.firewall.TunnelKillSwitch;
import io.culvert.net.Prefix;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.plan.TunnelPlan;
import io.culvert.routing.ActiveTunnels;
import io.culvert.rtnl.NetworkConfigurator;
import io.culvert.rtnl.NetworkState;
import io.culvert.runtime.KernelConnections;
import io.culvert.wireguard.device.WireGuardDevice;
import io.culvert.wireguard.device.WireGuardDevices;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Applies a standalone tunnel to the machine, or removes it. */
final class TunnelChange {

    private final Nftables nftables;
    private final NetworkConfigurator network;
    private final WireGuardDevices devices;
    private final ResolvConfFile resolvConf;
    private final Log log;
    private final ActiveTunnels before;
    private Optional<Problem> nftablesProblem = Optional.empty();

    /** @param before the part of the network state that belongs to Culvert now */
    TunnelChange(
            KernelConnections kernel,
            WireGuardDevices devices,
            ResolvConfFile resolvConf,
            Log log,
            NetworkState before) {
        this.nftables = kernel.nftables();
        this.network = kernel.network();
        this.devices = devices;
        this.resolvConf = resolvConf;
        this.log = log;
        this.before = new ActiveTunnels(before);
    }

    /**
     * Brings the tunnel up, or leaves the machine as it was. A new kill switch is activated first; an existing one is
     * only replaced when everything else is done, as the interfaces and addresses that it names may have changed.
     *
     * @param exists whether the tunnel's link exists, from an earlier run
     * @param killSwitch whether the tunnel must not come up without the kill switch
     */
    void start(TunnelPlan plan, boolean exists, boolean killSwitch) {
        UndoStack undo = new UndoStack();
        try {
            if (before.tunnelWithKillSwitch().isEmpty()) {
                undo.push(
                        "restoring the nftables ruleset",
                        () -> applyRuleset(TunnelKillSwitch.antiSpoofing(before.current()), false));
                applyRuleset(plan.ruleset(), killSwitch);
            }
            if (!exists) {
                undo.push("removing " + plan.link(), () -> remove(plan.link()));
            }
            try (WireGuardDevice device =
                    devices.create(plan.link(), plan.device().listenPort())) {
                undo.push(
                        "restoring routes and rules",
                        () -> network.apply(exists ? before.current() : before.without(plan.link())));
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
            applyRuleset(plan.ruleset(), killSwitch);
        } catch (RuntimeException e) {
            undo.run().forEach(log::warn);
            throw e;
        }
        log(nftablesProblem.map(problem -> Problem.warning(
                Location.machine("nftables"),
                "is not available, so packets to the tunnel's own addresses are accepted from other links too",
                problem.hint())));
        log(
                plan.dnsServers().isEmpty()
                        ? resolvConf.release(plan.link())
                        : resolvConf.claim(plan.link(), plan.dnsServers(), plan.searchDomains()));
        if (!plan.dnsServers().isEmpty()) {
            log(resolvConf.managingService().map(service -> resolvConfManaged(service, plan, killSwitch)));
        }
    }

    private static Problem resolvConfManaged(String service, TunnelPlan plan, boolean killSwitch) {
        Location file = Location.machine("/etc/resolv.conf");
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
    boolean stop(String link) {
        boolean wasUp = remove(link) || before.has(link);
        NetworkState rest = before.without(link);
        network.apply(rest);
        boolean others = before.tunnelWithKillSwitch()
                .filter(other -> !other.equals(link))
                .isPresent();
        if (!others) {
            applyRuleset(TunnelKillSwitch.antiSpoofing(rest), false);
        }
        log(resolvConf.release(link));
        return wasUp;
    }

    private boolean remove(String link) {
        Optional<WireGuardDevice> device = devices.find(link);
        device.ifPresent(existing -> {
            existing.remove();
            existing.close();
        });
        return device.isPresent();
    }

    /** Applies an nftables ruleset; on a machine without nftables, a tunnel without a kill switch comes up anyway. */
    private void applyRuleset(List<Table> tables, boolean needed) {
        if (nftablesProblem.isPresent()) {
            return;
        }
        try {
            if (tables.isEmpty()) {
                nftables.remove(KillSwitchRuleset.ALL);
            } else if (!nftables.matches(tables)) {
                nftables.apply(tables);
            }
        } catch (ProblemException e) {
            nftablesProblem = nftables.probe();
            if (needed || nftablesProblem.isEmpty()) {
                throw e;
            }
        }
    }

    private void log(Optional<Problem> problem) {
        log.problems(problem.stream().toList());
    }
}
