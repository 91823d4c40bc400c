package io.culvert.node;

import io.culvert.device.DeviceState.PeerState;
import io.culvert.dns.HostsBlock;
import io.culvert.ip.Endpoint;
import io.culvert.mesh.NodeFile;
import io.culvert.migration.Migration;
import io.culvert.migration.MovingPeer;
import io.culvert.migration.Ways;
import io.culvert.needs.MachineNeeds;
import io.culvert.network.Machine;
import io.culvert.network.Neighbours;
import io.culvert.network.NetworkState;
import io.culvert.network.Paths;
import io.culvert.plan.AddressConflicts;
import io.culvert.plan.NodeInputs;
import io.culvert.plan.NodePlan;
import io.culvert.plan.Tunnels;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.run.Journal;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.settings.WireGuardSettings;
import io.culvert.topology.HostsEntry;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The desired state of a node from its network file, and how to apply it. */
record NodeState(NodeFile file, Places places, Devices devices) {

    /**
     * Applies the desired state. Idempotent.
     *
     * @param journal takes warnings; empty where they have been logged before
     * @param direct logs networks that are reached directly
     * @return the changes
     * @throws ProblemException with all errors, in which case nothing has changed
     */
    List<String> raise(
            Kernel kernel, NodeChange change, Instant now, Optional<Journal> journal, DirectNetworks direct) {
        Machine machine = kernel.machine();
        NetworkState before = kernel.network().observe();
        List<Problem> remarks = checks(kernel, machine, before);
        NodePlan plan = plan(kernel, machine, before, now);
        journal.ifPresent(it -> it.problems(remarks));
        journal.ifPresent(it -> it.problems(plan.remarks()));
        List<String> done = change.raise(plan, before, machine, hosts());
        direct.tell(plan.direct());
        return done;
    }

    /** Returns the differences between the machine and the desired state, one per line; changes nothing. */
    List<String> difference(Kernel kernel, NodeChange change, Instant now) {
        Machine machine = kernel.machine();
        NetworkState before = kernel.network().observe();
        return change.difference(plan(kernel, machine, before, now), before, machine, hosts(), names());
    }

    static NodeChange change(Kernel kernel, Surroundings around, String node, Devices devices) {
        HostsBlock hosts = new HostsBlock(around.root().resolve("etc/hosts"), node);
        return new NodeChange(kernel, devices, hosts, node, around.journal());
    }

    String name() {
        return file.view().name();
    }

    List<String> hosts() {
        return file.view().hosts().stream().map(HostsEntry::toString).toList();
    }

    PeerNames names() {
        Map<PublicKey, String> names = new HashMap<>();
        file.view()
                .interfaces()
                .forEach(mesh -> mesh.links().forEach(link -> names.put(link.publicKey(), link.peer())));
        return new PeerNames(names);
    }

    /** Returns the peers of an interface that have endpoint candidates. */
    List<MovingPeer> moving(String device) {
        return file.view().interfaces().stream()
                .filter(mesh -> mesh.device().equals(device))
                .flatMap(mesh -> mesh.links().stream())
                .map(link -> NodeFile.moving(link, places.of(link)))
                .filter(peer -> !peer.places().isEmpty())
                .toList();
    }

    private NodePlan plan(Kernel kernel, Machine machine, NetworkState before, Instant now) {
        Paths paths = new Paths(kernel.route());
        Ways ways = new Ways(paths, new Neighbours(kernel.route()), 0);
        List<String> present = NodePlan.linksOf(name(), before);
        List<WireGuardConfig> interfaces = new ArrayList<>();
        Map<PublicKey, List<InetAddress>> candidates = new HashMap<>();
        for (WireGuardConfig mesh : file.interfaces()) {
            Map<PublicKey, PeerState> states = present.contains(mesh.name())
                    ? devices.read(mesh.name()).stream()
                            .flatMap(state -> state.peers().stream())
                            .collect(Collectors.toMap(PeerState::publicKey, Function.identity()))
                    : Map.of();
            Map<PublicKey, MovingPeer> moving =
                    moving(mesh.name()).stream().collect(Collectors.toMap(MovingPeer::key, Function.identity()));
            moving.forEach((key, peer) -> peer.places()
                    .forEach(at -> candidates
                            .computeIfAbsent(key, _ -> new ArrayList<>())
                            .add(at.getAddress())));
            interfaces.add(mesh.with(mesh.peers().stream()
                    .map(peer -> peer.at(
                            begin(peer.publicKey(), moving, states, ways, now).map(Endpoint::of)))
                    .toList()));
        }
        return NodePlan.of(
                new NodeInputs(name(), interfaces, file.view().forwards(), machine, paths::mtu, before, candidates));
    }

    /** Returns the initial endpoint. A peer that has one keeps it, as endpoint selection decides about changes. */
    private static Optional<InetSocketAddress> begin(
            PublicKey key,
            Map<PublicKey, MovingPeer> moving,
            Map<PublicKey, PeerState> states,
            Ways ways,
            Instant now) {
        return Optional.ofNullable(moving.get(key))
                .filter(peer -> Optional.ofNullable(states.get(key))
                        .filter(state -> peer.stays(state, now))
                        .isEmpty())
                .flatMap(peer -> Migration.first(peer.places(), ways));
    }

    private List<Problem> checks(Kernel kernel, Machine machine, NetworkState before) {
        Problems problems = new Problems();
        if (new Tunnels(before).besideChain()) {
            problems.add(Problem.input(
                    Place.machine(name()),
                    "'culvert up' is running in this network namespace, or was killed here",
                    "stop it first; if it was killed, start it again and stop it; to run the node as the mesh"
                            + " of 'culvert up', set CULVERT_MESH_CONFIG to the network file"));
        }
        new Tunnels(before)
                .killSwitch()
                .ifPresent(tunnel -> problems.add(Problem.input(
                        Place.machine(tunnel),
                        "its kill switch blocks all traffic outside the tunnel, including that of a mesh",
                        "take it down first: culvert tunnel down " + tunnel)));
        file.interfaces().stream()
                .map(WireGuardConfig::name)
                .filter(devices::isForeign)
                .forEach(link -> problems.add(Problem.input(
                        Place.machine(link),
                        "an interface of this name exists already and does not belong to this node",
                        "rename the subnet, or take that interface down" + " (culvert tunnel down " + link
                                + ", wg-quick down " + link + ")")));
        for (WireGuardConfig mesh : file.interfaces()) {
            problems.addAll(AddressConflicts.ofTunnel(Place.machine(mesh.name()), mesh, machine, false));
        }
        MachineNeeds.missing(machine, WireGuardSettings.Implementation.AUTO).stream()
                .filter(problem -> problem.kind().isError())
                .forEach(problems::add);
        if (!file.view().forwards().isEmpty()) {
            kernel.nftables().probe().ifPresent(problems::add);
        }
        problems.throwIfErrors();
        return problems.all();
    }
}
