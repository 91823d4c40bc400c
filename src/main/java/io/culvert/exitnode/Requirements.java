// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.Problems;
import io.culvert.linux.Container;
import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.plan.AddressConflicts;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.RuntimeResolvers;
import io.culvert.plan.WireGuardMeshInterface;
import io.culvert.requirements.MachineRequirements;
import io.culvert.routing.ActiveTunnels;
import io.culvert.rtnl.ForwardingSysctls;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.Ownership;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.tailscale.TailscaleProgram;
import io.culvert.wireguard.device.WireGuardDevices;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Checks the requirements of an exit node on the machine; each unmet one is reported with the runtime option that meets
 * it.
 */
final class Requirements {

    private Requirements() {}

    /**
     * @return warnings and notes
     * @throws ProblemException with all unmet requirements
     */
    static List<Problem> check(
            KernelConnections kernel, Machine machine, LoadedConfiguration configuration, Environment environment) {
        Problems problems = new Problems();
        Optional<TailscaleProgram> tailscale = Components.tailscale(environment, configuration.settings());
        kernel.nftables().probe().ifPresent(problems::add);
        problems.addAll(MachineRequirements.unmet(
                machine, configuration.settings().wireGuard().implementation()));
        if (MachineRequirements.usesUserspace(
                machine, configuration.settings().wireGuard().implementation())) {
            Components.program(configuration.settings()).socketsProblem().ifPresent(problems::add);
        }
        problems.addAll(Proxies.missingPrograms(environment, configuration.settings()));
        kernel.findUnroutedIpv6Address(machine)
                .map(Requirements::noDefaultRoute)
                .ifPresent(problems::add);
        if (!configuration.meshes().isEmpty()
                || tailscale.isPresent()
                || !configuration.settings().gatewayClients().isEmpty()) {
            problems.addAll(disabledForwarding(machine, configuration));
        }
        tailscale.ifPresent(program -> problems.addAll(program.unmetRequirements(machine)));
        tailscale
                .map(program -> program.settings().interfaceName())
                .filter(link -> isForeignLink(link, kernel, machine))
                .ifPresent(link -> problems.add(Problem.machine(
                        Location.machine(link),
                        "an interface of this name exists already and is not Tailscale's: its traffic would be treated"
                                + " as that of exit-node clients",
                        "use another name for Tailscale's interface: TS_TAILSCALED_EXTRA_ARGS=--tun=tailnet0")));
        problems.addAll(ExitNodePlanner.remarks(configuration.inputs(RuntimeResolvers.NONE, machine)));
        if (machine.netAdmin()) {
            problems.addAll(takenLinkNames(machine, configuration, environment));
        }
        problems.addAll(addressConflicts(machine, configuration));
        if (!Container.of(configuration.settings().container(), environment.variables(), environment.root())
                .present()) {
            problems.addAll(otherTunnels(kernel.network().observe(), configuration));
        }
        problems.throwIfErrors();
        return problems.all();
    }

    /**
     * Checks what a changed configuration requires in addition.
     *
     * @throws ProblemException with all unmet requirements
     */
    static void checkChange(Machine machine, LoadedConfiguration changed, Components components) {
        Problems problems = new Problems();
        if (components.restartsTailscale(changed)) {
            Components.tailscale(components.environment(), changed.settings())
                    .ifPresent(program -> problems.addAll(program.unmetRequirements(machine)));
        }
        problems.addAll(Proxies.missingPrograms(components.environment(), changed.settings()));
        problems.addAll(takenLinkNames(machine, changed, components.environment()));
        problems.addAll(addressConflicts(machine, changed));
        problems.throwIfErrors();
    }

    /**
     * Reports interfaces that have the names of Culvert's but belong to another program. Culvert's own, left by a run
     * that was killed, are adopted.
     */
    private static List<Problem> takenLinkNames(
            Machine machine, LoadedConfiguration configuration, Environment environment) {
        WireGuardDevices devices = Components.devices(configuration.settings(), environment);
        List<Problem> problems = new ArrayList<>();
        Stream.concat(
                        Stream.of(configuration.identity().link()),
                        configuration.meshes().stream().map(WireGuardMeshInterface::link))
                .filter(devices::isForeign)
                .forEach(name -> problems.add(
                        machine.uplinks().values().stream()
                                        .anyMatch(uplink -> uplink.link().equals(name))
                                ? Problem.machine(
                                        Location.machine(name),
                                        "the uplink has the name that the tunnel's interface needs",
                                        Hints.here().renameInterface(name))
                                : Problem.machine(
                                        Location.machine(name),
                                        "an interface of this name exists already and does not belong to Culvert",
                                        "remove it with the program that created it (wg-quick down " + name + "), or "
                                                + Hints.here().separateNamespace())));
        return problems;
    }

    /**
     * Reports tunnels of {@code culvert tunnel up} and nodes of {@code culvert mesh up}: their rules, including a kill
     * switch, would be removed when this run ends. In a container, where the kill switch stays active, they are taken
     * over.
     */
    private static List<Problem> otherTunnels(NetworkState before, LoadedConfiguration configuration) {
        List<Problem> problems = new ArrayList<>();
        Set<String> ofNodes = new HashSet<>();
        Set<String> nodes = new TreeSet<>();
        before.links()
                .forEach(link -> Ownership.node(link.alias()).ifPresent(node -> {
                    ofNodes.add(link.name());
                    nodes.add(node);
                }));
        Set<String> ownLinks = new HashSet<>(Set.of(configuration.identity().link()));
        configuration.meshes().forEach(mesh -> ownLinks.add(mesh.link()));
        new ActiveTunnels(before)
                .names(ownLinks).stream()
                        .filter(name -> !ofNodes.contains(name))
                        .forEach(name -> problems.add(otherTunnels(
                                name, "this tunnel of 'culvert tunnel up'", "culvert tunnel down " + name)));
        nodes.forEach(node ->
                problems.add(otherTunnels(node, "this node of 'culvert mesh up'", "culvert mesh down " + node)));
        return problems;
    }

    private static Problem otherTunnels(String other, String by, String down) {
        return Problem.machine(
                Location.machine(other),
                by + " is up in this network namespace, and 'culvert up' would remove it and any kill switch of it",
                "take it down first: " + down);
    }

    /** Returns the address conflicts between the files and the machine's current networks. */
    static List<Problem> addressConflicts(Machine machine, LoadedConfiguration configuration) {
        List<Problem> problems = new ArrayList<>();
        configuration
                .servers()
                .forEach(server -> problems.addAll(AddressConflicts.ofServer(
                        Location.file(server.file()), server.config(), configuration.settings(), machine)));
        configuration
                .meshes()
                .forEach(mesh -> problems.addAll(
                        AddressConflicts.ofMesh(Location.setting("CULVERT_MESH_CONFIG"), mesh.file(), machine)));
        return problems.stream().distinct().toList();
    }

    /**
     * Returns a problem for each server without a route to it, where there is a network at all. The missing family may
     * never appear, or may come with a router advertisement within a second.
     */
    static List<Problem> unreachableServers(Machine machine, LoadedConfiguration configuration) {
        List<Problem> problems = new ArrayList<>();
        if (machine.uplinks().isEmpty() && machine.main().routes().isEmpty()) {
            return problems;
        }
        for (LoadedConfiguration.Server server : configuration.servers()) {
            List<Endpoint> endpoints = server.config().peers().stream()
                    .flatMap(peer -> peer.endpoint().stream())
                    .toList();
            if (endpoints.isEmpty() || endpoints.stream().anyMatch(it -> isReachable(it, machine))) {
                continue;
            }
            Endpoint first = endpoints.getFirst();
            boolean ipv6 =
                    first.host() instanceof Host.Literal(InetAddress address) && Family.of(address) == Family.IPV6;
            problems.add(Problem.machine(
                    Location.file(server.file()),
                    "no " + (ipv6 ? "IPv6" : "IPv4") + " route to the server " + first,
                    ipv6
                            ? Hints.here().ipv6Network() + ", or use a file whose server has an IPv4 address"
                            : Hints.here().defaultRoute()
                                    + " for IPv4, or use a file whose server has an IPv6 address"));
        }
        return problems;
    }

    private static boolean isReachable(Endpoint endpoint, Machine machine) {
        return switch (endpoint.host()) {
            case Host.Literal(InetAddress address) -> machine.main().hasRouteTo(address);
            case Host.Name _ -> true;
        };
    }

    /**
     * Whether the interface is not Tailscale's. A tailscaled that outlived its last run may still have its own: a tun
     * device without a default route in the main table.
     */
    private static boolean isForeignLink(String link, KernelConnections kernel, Machine machine) {
        return kernel.links()
                        .find(link)
                        .filter(device -> !device.kind().equals("tun"))
                        .isPresent()
                || machine.uplinks().values().stream()
                        .anyMatch(uplink -> uplink.link().equals(link));
    }

    private static List<Problem> disabledForwarding(Machine machine, LoadedConfiguration configuration) {
        List<Problem> problems = new ArrayList<>();
        if (machine.writableSysctl()) {
            return problems;
        }
        String clients = configuration.settings().gatewayClients().isEmpty() ? "exit-node clients" : "clients";
        for (Family family : Family.values()) {
            String name = ForwardingSysctls.sysctl(family);
            String hint = Hints.here().sysctl(name, "1");
            if (machine.forwarding().contains(family)) {
                continue;
            }
            if (machine.uplinks().containsKey(family)) {
                problems.add(Problem.machine(
                        Location.machine(name),
                        "is 0 and read-only, so traffic of " + clients + " cannot be forwarded",
                        hint));
            } else if (family == Family.IPV6
                    && machine.ipv6().isAvailableOn(configuration.identity().link())
                    && tunnelCarries(configuration, family)) {
                problems.add(Problem.warning(
                        Location.machine(name),
                        "is 0 and read-only, so " + clients + " have no IPv6 although the tunnel carries it",
                        hint));
            }
        }
        return problems;
    }

    private static boolean tunnelCarries(LoadedConfiguration configuration, Family family) {
        return configuration.servers().stream()
                .flatMap(server -> server.config().addresses().stream())
                .anyMatch(address -> address.family() == family);
    }

    private static Problem noDefaultRoute(LinkAddress lost) {
        return Problem.warning(
                Location.machine(lost.link()),
                "has the IPv6 address " + Prefix.text(lost.address().address())
                        + " but no IPv6 default route: with " + ForwardingSysctls.sysctl(Family.IPV6)
                        + "=1 the kernel ignores router advertisements (slirp4netns provides its default route only by"
                        + " these)",
                Hints.here().routerAdvertisements(lost.link()) + ", or do not set "
                        + ForwardingSysctls.sysctl(Family.IPV6));
    }
}
