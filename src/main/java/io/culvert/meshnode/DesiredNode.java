// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.Problems;
import io.culvert.dns.HostsBlock;
import io.culvert.mesh.MeshNodeFile;
import io.culvert.net.Endpoint;
import io.culvert.networkfile.HostsEntry;
import io.culvert.plan.AddressConflicts;
import io.culvert.plan.NodeInputs;
import io.culvert.plan.NodePlan;
import io.culvert.plan.ResolvedNames;
import io.culvert.requirements.MachineRequirements;
import io.culvert.roaming.EndpointSelector;
import io.culvert.roaming.PathLookup;
import io.culvert.roaming.RoamingPeer;
import io.culvert.routing.ActiveTunnels;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.Neighbours;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.RouteLookup;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.ImplementationChoice;
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
record DesiredNode(MeshNodeFile file, EndpointResolver resolver, NodeDevices devices) {

    /**
     * Applies the desired state. Idempotent.
     *
     * @param log takes warnings; empty where they have been logged before
     * @param direct logs networks that are reached directly
     * @return the changes
     * @throws ProblemException with all errors, in which case nothing has changed
     */
    List<String> apply(
            KernelConnections kernel, NodeConfigurator change, Instant now, Optional<Log> log, DirectNetworks direct) {
        Machine machine = kernel.machine();
        NetworkState current = kernel.network().observe();
        List<Problem> warnings = checkRequirements(kernel, machine, current);
        NodePlan plan = plan(kernel, machine, current, now);
        log.ifPresent(it -> it.problems(warnings));
        log.ifPresent(it -> it.problems(plan.remarks()));
        List<String> changes = change.apply(plan, current, machine, hosts());
        direct.logChanges(plan.directNetworks());
        return changes;
    }

    /** Returns the differences between the machine and the desired state, one per line; changes nothing. */
    List<String> differences(KernelConnections kernel, NodeConfigurator change, Instant now) {
        Machine machine = kernel.machine();
        NetworkState current = kernel.network().observe();
        return change.differences(plan(kernel, machine, current, now), current, machine, hosts(), names());
    }

    static NodeConfigurator change(
            KernelConnections kernel, Environment environment, String node, NodeDevices devices) {
        HostsBlock hosts = new HostsBlock(environment.root().resolve("etc/hosts"), node);
        return new NodeConfigurator(kernel, devices, hosts, node, environment.log());
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
    List<RoamingPeer> roamingPeers(String device) {
        ResolvedNames names = resolver.names();
        return file.view().interfaces().stream()
                .filter(mesh -> mesh.device().equals(device))
                .flatMap(mesh -> mesh.links().stream())
                .map(link -> MeshNodeFile.roamingPeer(link, names))
                .filter(peer -> !peer.candidates().isEmpty())
                .toList();
    }

    private NodePlan plan(KernelConnections kernel, Machine machine, NetworkState current, Instant now) {
        RouteLookup routes = new RouteLookup(kernel.route());
        PathLookup paths = new PathLookup(routes, new Neighbours(kernel.route()), 0);
        List<String> existing = NodePlan.linksOf(name(), current);
        List<WireGuardConfig> interfaces = new ArrayList<>();
        Map<PublicKey, List<InetAddress>> candidates = new HashMap<>();
        for (WireGuardConfig mesh : file.interfaces()) {
            Map<PublicKey, PeerState> states = existing.contains(mesh.name())
                    ? devices.read(mesh.name()).stream()
                            .flatMap(state -> state.peers().stream())
                            .collect(Collectors.toMap(PeerState::publicKey, Function.identity()))
                    : Map.of();
            Map<PublicKey, RoamingPeer> roamingPeers =
                    roamingPeers(mesh.name()).stream().collect(Collectors.toMap(RoamingPeer::key, Function.identity()));
            roamingPeers.forEach((key, peer) -> peer.candidates()
                    .forEach(candidate -> candidates
                            .computeIfAbsent(key, _ -> new ArrayList<>())
                            .add(candidate.getAddress())));
            interfaces.add(mesh.withPeers(mesh.peers().stream()
                    .map(peer -> peer.withEndpoint(initialEndpoint(peer.publicKey(), roamingPeers, states, paths, now)
                            .map(Endpoint::of)))
                    .toList()));
        }
        return NodePlan.of(NodeInputs.of(name(), interfaces, machine, routes::mtu, it -> {
            it.forwards = file.view().forwards();
            it.current = current;
            it.candidates = candidates;
        }));
    }

    /** Returns the initial endpoint. A peer that has one keeps it, as endpoint selection decides about changes. */
    private static Optional<InetSocketAddress> initialEndpoint(
            PublicKey key,
            Map<PublicKey, RoamingPeer> roamingPeers,
            Map<PublicKey, PeerState> states,
            PathLookup paths,
            Instant now) {
        return Optional.ofNullable(roamingPeers.get(key))
                .filter(peer -> Optional.ofNullable(states.get(key))
                        .filter(state -> peer.keepsEndpoint(state, now))
                        .isEmpty())
                .flatMap(peer -> EndpointSelector.initialEndpoint(peer.candidates(), paths));
    }

    private List<Problem> checkRequirements(KernelConnections kernel, Machine machine, NetworkState current) {
        Problems problems = new Problems();
        if (new ActiveTunnels(current).hasExitNodeRules()) {
            problems.add(Problem.input(
                    Location.machine(name()),
                    "'culvert up' is running in this network namespace, or was killed here",
                    "stop it first; if it was killed, start it again and stop it; to run the node as the mesh"
                            + " of 'culvert up', set CULVERT_MESH_CONFIG to the network file"));
        }
        new ActiveTunnels(current)
                .tunnelWithKillSwitch()
                .ifPresent(tunnel -> problems.add(Problem.input(
                        Location.machine(tunnel),
                        "its kill switch blocks all traffic outside the tunnel, including that of a mesh",
                        "take it down first: culvert tunnel down " + tunnel)));
        file.interfaces().stream()
                .map(WireGuardConfig::name)
                .filter(devices::isForeign)
                .forEach(link -> problems.add(Problem.input(
                        Location.machine(link),
                        "an interface of this name exists already and does not belong to this node",
                        "rename the subnet, or take that interface down" + " (culvert tunnel down " + link
                                + ", wg-quick down " + link + ")")));
        for (WireGuardConfig mesh : file.interfaces()) {
            problems.addAll(AddressConflicts.ofTunnel(Location.machine(mesh.name()), mesh, machine, false));
        }
        MachineRequirements.unmet(machine, ImplementationChoice.AUTO).stream()
                .filter(problem -> problem.kind().isError())
                .forEach(problems::add);
        if (!file.view().forwards().isEmpty()) {
            kernel.nftables().probe().ifPresent(problems::add);
        }
        problems.throwIfErrors();
        return problems.all();
    }
}
