package io.culvert.exitnode;

import io.culvert.device.WireGuardDevices;
import io.culvert.ip.Endpoint;
import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.linux.Container;
import io.culvert.mesh.tailscale.TailscaleProgram;
import io.culvert.needs.MachineNeeds;
import io.culvert.network.Forwarding;
import io.culvert.network.LinkAddress;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.network.Ownership;
import io.culvert.plan.AddressConflicts;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.PlainMesh;
import io.culvert.plan.RuntimeResolvers;
import io.culvert.plan.Tunnels;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
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
    static List<Problem> of(Kernel kernel, Machine machine, Reading reading, Surroundings around) {
        Problems problems = new Problems();
        Optional<TailscaleProgram> tailscale = Parts.tailscale(around, reading.settings());
        kernel.nftables().probe().ifPresent(problems::add);
        problems.addAll(
                MachineNeeds.missing(machine, reading.settings().wireGuard().implementation()));
        if (MachineNeeds.userspace(machine, reading.settings().wireGuard().implementation())) {
            Parts.program(reading.settings()).socketsProblem().ifPresent(problems::add);
        }
        kernel.unrouted(machine).map(Requirements::unrouted).ifPresent(problems::add);
        if (!reading.meshes().isEmpty() || tailscale.isPresent()) {
            problems.addAll(forwarding(machine, reading));
        }
        tailscale.ifPresent(program -> problems.addAll(program.missing(machine)));
        tailscale
                .map(program -> program.settings().link())
                .filter(link -> isSomethingElse(link, kernel, machine))
                .ifPresent(link -> problems.add(Problem.machine(
                        Place.machine(link),
                        "an interface of this name exists already and is not Tailscale's: its traffic would be treated"
                                + " as that of exit-node clients",
                        "use another name for Tailscale's interface: TS_TAILSCALED_EXTRA_ARGS=--tun=tailnet0")));
        problems.addAll(ExitNodePlanner.plan(reading.inputs(RuntimeResolvers.NONE, machine))
                .remarks());
        if (machine.netAdmin()) {
            problems.addAll(taken(machine, reading));
        }
        problems.addAll(conflicts(machine, reading));
        if (!Container.of(reading.settings().container(), around.environment(), around.root())
                .present()) {
            problems.addAll(raised(kernel.network().observe(), reading));
        }
        problems.throwIfErrors();
        return problems.all();
    }

    /**
     * Reports interfaces that have the names of ours but belong to another program. Our own, left by a run that was
     * killed, are taken over.
     */
    private static List<Problem> taken(Machine machine, Reading reading) {
        WireGuardDevices devices = Parts.devices(reading.settings());
        List<Problem> problems = new ArrayList<>();
        Stream.concat(Stream.of(ExitNodePlan.TUNNEL), reading.meshes().stream().map(PlainMesh::link))
                .filter(devices::isForeign)
                .forEach(name -> problems.add(
                        machine.uplinks().values().stream()
                                        .anyMatch(uplink -> uplink.link().equals(name))
                                ? Problem.machine(
                                        Place.machine(name),
                                        "the uplink has the name that the tunnel's interface needs",
                                        Hints.here().otherName(name))
                                : Problem.machine(
                                        Place.machine(name),
                                        "an interface of this name exists already and does not belong to Culvert",
                                        "remove it with the program that created it (wg-quick down " + name + "), or "
                                                + Hints.here().ownNetwork())));
        return problems;
    }

    /**
     * Reports tunnels of {@code culvert tunnel up} and nodes of {@code culvert mesh up}: their rules, including a kill
     * switch, would be removed when this run ends. In a container, where the kill switch stays active, they are taken
     * over.
     */
    private static List<Problem> raised(NetworkState before, Reading reading) {
        List<Problem> problems = new ArrayList<>();
        Set<String> ofNodes = new HashSet<>();
        Set<String> nodes = new TreeSet<>();
        before.links()
                .forEach(link -> Ownership.node(link.alias()).ifPresent(node -> {
                    ofNodes.add(link.name());
                    nodes.add(node);
                }));
        Set<String> own = new HashSet<>(Set.of(ExitNodePlan.TUNNEL));
        reading.meshes().forEach(mesh -> own.add(mesh.link()));
        new Tunnels(before)
                .names(own).stream()
                        .filter(name -> !ofNodes.contains(name))
                        .forEach(name -> problems.add(
                                raised(name, "this tunnel of 'culvert tunnel up'", "culvert tunnel down " + name)));
        nodes.forEach(
                node -> problems.add(raised(node, "this node of 'culvert mesh up'", "culvert mesh down " + node)));
        return problems;
    }

    private static Problem raised(String what, String by, String down) {
        return Problem.machine(
                Place.machine(what),
                by + " is up in this network namespace, and 'culvert up' would remove it and any kill switch of it",
                "take it down first: " + down);
    }

    /** Returns the address conflicts between the files and the machine's current networks. */
    static List<Problem> conflicts(Machine machine, Reading reading) {
        List<Problem> problems = new ArrayList<>();
        reading.servers()
                .forEach(server -> problems.addAll(AddressConflicts.ofServer(
                        Place.file(server.file()), server.config(), reading.settings(), machine)));
        reading.meshes()
                .forEach(mesh -> problems.addAll(
                        AddressConflicts.ofMesh(Place.setting("CULVERT_MESH_CONFIG"), mesh.file(), machine)));
        return problems.stream().distinct().toList();
    }

    /**
     * Returns a problem for each server without a route to it, where there is a network at all. The missing family may
     * never appear, or may come with a router advertisement within a second.
     */
    static List<Problem> unreachable(Machine machine, Reading reading) {
        List<Problem> problems = new ArrayList<>();
        if (machine.uplinks().isEmpty() && machine.main().routes().isEmpty()) {
            return problems;
        }
        for (Reading.Server server : reading.servers()) {
            List<Endpoint> endpoints = server.config().peers().stream()
                    .flatMap(peer -> peer.endpoint().stream())
                    .toList();
            if (endpoints.isEmpty() || endpoints.stream().anyMatch(it -> mayBeReached(it, machine))) {
                continue;
            }
            Endpoint first = endpoints.getFirst();
            boolean ipv6 =
                    first.host() instanceof Host.Literal(InetAddress address) && Family.of(address) == Family.IPV6;
            problems.add(Problem.machine(
                    Place.file(server.file()),
                    "no " + (ipv6 ? "IPv6" : "IPv4") + " route to the server " + first,
                    ipv6
                            ? Hints.here().ipv6Network() + ", or use a file whose server has an IPv4 address"
                            : Hints.here().defaultRoute()
                                    + " for IPv4, or use a file whose server has an IPv6 address"));
        }
        return problems;
    }

    private static boolean mayBeReached(Endpoint endpoint, Machine machine) {
        return switch (endpoint.host()) {
            case Host.Literal(InetAddress address) -> machine.main().reaches(address);
            case Host.Name _ -> true;
        };
    }

    /**
     * Whether the interface is not Tailscale's. A tailscaled that outlived its last run may still have its own: a tun
     * device without a default route in the main table.
     */
    private static boolean isSomethingElse(String link, Kernel kernel, Machine machine) {
        return kernel.links()
                        .find(link)
                        .filter(found -> !found.kind().equals("tun"))
                        .isPresent()
                || machine.uplinks().values().stream()
                        .anyMatch(uplink -> uplink.link().equals(link));
    }

    private static List<Problem> forwarding(Machine machine, Reading reading) {
        List<Problem> problems = new ArrayList<>();
        if (machine.writableSysctl()) {
            return problems;
        }
        for (Family family : Family.values()) {
            String name = Forwarding.sysctl(family);
            String cure = Hints.here().sysctl(name, "1");
            if (machine.forwarding().contains(family)) {
                continue;
            }
            if (machine.uplinks().containsKey(family)) {
                problems.add(Problem.machine(
                        Place.machine(name),
                        "is 0 and read-only, so traffic of exit-node clients cannot be forwarded",
                        cure));
            } else if (family == Family.IPV6 && machine.ipv6().on(ExitNodePlan.TUNNEL) && carries(reading, family)) {
                problems.add(Problem.warning(
                        Place.machine(name),
                        "is 0 and read-only, so exit-node clients have no IPv6 although the tunnel carries it",
                        cure));
            }
        }
        return problems;
    }

    private static boolean carries(Reading reading, Family family) {
        return reading.servers().stream()
                .flatMap(server -> server.config().addresses().stream())
                .anyMatch(own -> own.family() == family);
    }

    private static Problem unrouted(LinkAddress lost) {
        return Problem.warning(
                Place.machine(lost.link()),
                "has the IPv6 address " + Prefix.text(lost.address().address())
                        + " but no IPv6 default route: with " + Forwarding.sysctl(Family.IPV6)
                        + "=1 the kernel ignores router advertisements (slirp4netns provides its default route only by"
                        + " these)",
                Hints.here().routerAdvertisements(lost.link()) + ", or do not set " + Forwarding.sysctl(Family.IPV6));
    }
}
