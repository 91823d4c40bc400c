package io.culvert.node;

import io.culvert.device.DeviceConfig;
import io.culvert.dns.HostsBlock;
import io.culvert.migration.Migration;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.nft.Table;
import io.culvert.plan.GuardRuleset;
import io.culvert.plan.NodePlan;
import io.culvert.plan.TunnelGuard;
import io.culvert.problem.Count;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.run.Journal;
import io.culvert.run.Kernel;
import io.culvert.run.Undo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Applies the plan of a node to the machine, or removes the node. */
final class NodeChange {

    private final Kernel kernel;
    private final Devices devices;
    private final Passing passing;
    private final HostsBlock hosts;
    private final String node;
    private final Journal journal;

    NodeChange(Kernel kernel, Devices devices, HostsBlock hosts, String node, Journal journal) {
        this.kernel = kernel;
        this.devices = devices;
        this.passing = new Passing(kernel.nftables(), kernel.sysctl(), node);
        this.hosts = hosts;
        this.node = node;
        this.journal = journal;
    }

    /**
     * Applies the plan completely or not at all. Idempotent. A new device gets its peers before it is set up, as it
     * would otherwise send its first packets before its routes exist. For an existing device the peers are changed
     * last, as that cannot be undone.
     *
     * @param before the state of this node's kernel objects
     * @param names lines for the hosts file
     * @return the changes, in the syntax of the usual tools
     */
    List<String> raise(NodePlan plan, NetworkState before, Machine machine, List<String> names) {
        List<String> done = new ArrayList<>();
        List<String> present = NodePlan.linksOf(node, before);
        List<String> made = new ArrayList<>(plan.devices().keySet());
        made.removeAll(present);
        Undo undo = new Undo();
        try {
            for (String link : made) {
                undo.push("removing " + link, () -> devices.remove(link));
                keep(link, plan, done);
            }
            if (present.isEmpty()) {
                undo.push("removing the forwarding rules", passing::close);
            }
            if (plan.passage().isPresent() || !present.isEmpty()) {
                done.addAll(passing.allow(plan.passage(), plan.forwarded(), machine));
            }
            // Their addresses and routes may now belong to other interfaces.
            plan.stale().forEach(link -> {
                devices.remove(link);
                done.add("ip link delete " + link);
            });
            NetworkState rest = NodePlan.without(made, NodePlan.without(plan.stale(), before));
            undo.push(
                    "restoring the network configuration",
                    () -> kernel.network().apply(rest));
            done.addAll(kernel.network().apply(plan.network()));
            shield(plan.shield(), done);
            present.stream().filter(plan.devices()::containsKey).forEach(link -> keep(link, plan, done));
        } catch (RuntimeException e) {
            undo.run().forEach(journal::warn);
            throw e;
        }
        if (!hosts.matches(names)) {
            done.add(hosts.path() + ": " + Count.of(names.size(), "name"));
            journal.problems(hosts.write(names).stream().toList());
        }
        return done;
    }

    /** Returns the differences between machine and plan, in the syntax of the usual tools; changes nothing. */
    List<String> difference(NodePlan plan, NetworkState before, Machine machine, List<String> names, PeerNames peers) {
        List<String> lines = new ArrayList<>();
        List<String> present = NodePlan.linksOf(node, before);
        plan.devices().forEach((link, wanted) -> {
            if (!present.contains(link)) {
                lines.add("ip link add dev " + link + " type wireguard");
            }
            lines.addAll(new DeviceText(link, peers)
                    .difference(wanted, present.contains(link) ? devices.read(link) : Optional.empty()));
        });
        plan.stale().forEach(link -> lines.add("ip link delete " + link));
        kernel.network().drift(plan.network()).stream()
                .filter(line -> !line.endsWith("# does not exist"))
                .forEach(lines::add);
        passing.differences(plan.passage(), plan.forwarded(), machine).forEach(line -> lines.add("nft: " + line));
        if (!hosts.matches(names)) {
            lines.add(hosts.path() + ": " + Count.of(names.size(), "line") + " of this node");
        }
        return lines;
    }

    /**
     * Removes everything that exists of the node.
     *
     * @return whether anything existed
     */
    boolean lower(NetworkState before) {
        List<String> links = NodePlan.linksOf(node, before);
        links.forEach(devices::remove);
        NetworkState rest = NodePlan.without(links, before);
        kernel.network().apply(rest);
        boolean was = !links.isEmpty();
        if (kernel.nftables().probe().isEmpty()) {
            was |= !passing.close().isEmpty();
            kernel.nftables().remove(List.of(Migration.TABLE));
            shield(TunnelGuard.shield(rest), new ArrayList<>());
        }
        journal.problems(hosts.write(List.of()).stream().toList());
        return was;
    }

    private void keep(String link, NodePlan plan, List<String> done) {
        DeviceConfig wanted = Objects.requireNonNull(plan.devices().get(link));
        boolean differs = !new DeviceText(link, new PeerNames(Map.of()))
                .difference(wanted, devices.read(link))
                .isEmpty();
        if (devices.of(link).keep(wanted) && differs) {
            done.add("wg setconf " + link);
        }
    }

    /** Applies the anti-spoofing tables. A machine without nftables still gets its mesh if nothing is forwarded. */
    private void shield(List<Table> tables, List<String> done) {
        try {
            if (tables.isEmpty()) {
                kernel.nftables().remove(List.of(GuardRuleset.TABLE));
            } else if (!kernel.nftables().matches(tables)) {
                kernel.nftables().apply(tables);
                done.add("nft table " + GuardRuleset.TABLE);
            }
        } catch (ProblemException e) {
            Problem unusable = kernel.nftables().probe().orElseThrow(() -> e);
            journal.problems(List.of(Problem.warning(
                    Place.machine("nftables"),
                    "is not available, so packets to the mesh's own addresses are accepted from other links too",
                    unusable.cure())));
        }
    }
}
