// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.diagnostics.Counted;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.UndoStack;
import io.culvert.dns.HostsBlock;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.firewall.TunnelKillSwitch;
import io.culvert.nft.Table;
import io.culvert.plan.NodePlan;
import io.culvert.roaming.EndpointSelector;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.runtime.KernelConnections;
import io.culvert.wireguard.device.DeviceConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Applies the plan of a node to the machine, or removes the node. */
final class NodeConfigurator {

    private final KernelConnections kernel;
    private final NodeDevices devices;
    private final ForwardingControl forwarding;
    private final HostsBlock hosts;
    private final String node;
    private final Log log;

    NodeConfigurator(KernelConnections kernel, NodeDevices devices, HostsBlock hosts, String node, Log log) {
        this.kernel = kernel;
        this.devices = devices;
        this.forwarding = new ForwardingControl(kernel.nftables(), kernel.sysctl(), node);
        this.hosts = hosts;
        this.node = node;
        this.log = log;
    }

    /**
     * Applies the plan completely or not at all. Idempotent. A new device gets its peers before it is set up, as it
     * would otherwise send its first packets before its routes exist. For an existing device the peers are changed
     * last, as that cannot be undone.
     *
     * @param current the state of this node's kernel objects
     * @param names lines for the hosts file
     * @return the changes, in the syntax of wg, ip and nft
     */
    List<String> apply(NodePlan plan, NetworkState current, Machine machine, List<String> names) {
        List<String> changes = new ArrayList<>();
        List<String> existing = NodePlan.linksOf(node, current);
        List<String> added = new ArrayList<>(plan.devices().keySet());
        added.removeAll(existing);
        UndoStack undo = new UndoStack();
        try {
            for (String link : added) {
                undo.push("removing " + link, () -> devices.remove(link));
                configure(link, plan, changes);
            }
            if (existing.isEmpty()) {
                undo.push("removing the forwarding rules", forwarding::remove);
            }
            if (plan.policy().isPresent() || !existing.isEmpty()) {
                changes.addAll(forwarding.apply(plan.policy(), plan.forwarded(), machine));
            }
            // Their addresses and routes may now belong to other interfaces.
            plan.stale().forEach(link -> {
                devices.remove(link);
                changes.add("ip link delete " + link);
            });
            NetworkState others = NodePlan.without(added, NodePlan.without(plan.stale(), current));
            undo.push(
                    "restoring the network configuration",
                    () -> kernel.network().apply(others));
            changes.addAll(kernel.network().apply(plan.network()));
            applyAntiSpoofing(plan.antiSpoofing(), changes);
            existing.stream().filter(plan.devices()::containsKey).forEach(link -> configure(link, plan, changes));
        } catch (RuntimeException e) {
            undo.run().forEach(log::warn);
            throw e;
        }
        if (!hosts.matches(names)) {
            changes.add(hosts.path() + ": " + Counted.of(names.size(), "name"));
            log.problems(hosts.write(names).stream().toList());
        }
        return changes;
    }

    /** Returns the differences between machine and plan, in the syntax of wg, ip and nft; changes nothing. */
    List<String> differences(
            NodePlan plan, NetworkState current, Machine machine, List<String> names, PeerNames peers) {
        List<String> lines = new ArrayList<>();
        List<String> existing = NodePlan.linksOf(node, current);
        plan.devices().forEach((link, config) -> {
            if (!existing.contains(link)) {
                lines.add("ip link add dev " + link + " type wireguard");
            }
            lines.addAll(new WgSetCommands(link, peers)
                    .commands(config, existing.contains(link) ? devices.read(link) : Optional.empty()));
        });
        plan.stale().forEach(link -> lines.add("ip link delete " + link));
        kernel.network().drift(plan.network()).stream()
                .filter(line -> !line.endsWith("# does not exist"))
                .forEach(lines::add);
        forwarding.differences(plan.policy(), plan.forwarded(), machine).forEach(line -> lines.add("nft: " + line));
        if (!hosts.matches(names)) {
            lines.add(hosts.path() + ": " + Counted.of(names.size(), "line") + " of this node");
        }
        return lines;
    }

    /**
     * Removes everything that exists of the node.
     *
     * @return whether anything existed
     */
    boolean remove(NetworkState current) {
        List<String> links = NodePlan.linksOf(node, current);
        links.forEach(devices::remove);
        NetworkState others = NodePlan.without(links, current);
        kernel.network().apply(others);
        boolean existed = !links.isEmpty();
        if (kernel.nftables().probe().isEmpty()) {
            existed |= !forwarding.remove().isEmpty();
            kernel.nftables().remove(List.of(EndpointSelector.TABLE));
            applyAntiSpoofing(TunnelKillSwitch.antiSpoofing(others), new ArrayList<>());
        }
        log.problems(hosts.write(List.of()).stream().toList());
        return existed;
    }

    private void configure(String link, NodePlan plan, List<String> changes) {
        DeviceConfig config = Objects.requireNonNull(plan.devices().get(link));
        boolean isDifferent = !new WgSetCommands(link, new PeerNames(Map.of()))
                .commands(config, devices.read(link))
                .isEmpty();
        if (devices.device(link).ensure(config) && isDifferent) {
            changes.add("wg setconf " + link);
        }
    }

    /** Applies the anti-spoofing tables. A machine without nftables still gets its mesh if nothing is forwarded. */
    private void applyAntiSpoofing(List<Table> tables, List<String> changes) {
        try {
            if (tables.isEmpty()) {
                kernel.nftables().remove(List.of(KillSwitchRuleset.TABLE));
            } else if (!kernel.nftables().matches(tables)) {
                kernel.nftables().apply(tables);
                changes.add("nft table " + KillSwitchRuleset.TABLE);
            }
        } catch (ProblemException e) {
            Problem unusable = kernel.nftables().probe().orElseThrow(() -> e);
            log.problems(List.of(Problem.warning(
                    Location.machine("nftables"),
                    "is not available, so packets to the mesh's own addresses are accepted from other links too",
                    unusable.hint())));
        }
    }
}
