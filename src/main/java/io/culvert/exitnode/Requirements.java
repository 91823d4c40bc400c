package io.culvert.exitnode;

import io.culvert.device.WireGuardDevices;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.mesh.tailscale.TailscaleProgram;
import io.culvert.needs.MachineNeeds;
import io.culvert.network.Forwarding;
import io.culvert.network.LinkAddress;
import io.culvert.network.Machine;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.PlainMesh;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.run.Kernel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What a chain needs of the machine, each with the runtime option that cures its absence. */
final class Requirements {

    private Requirements() {}

    /**
     * @return warnings and notes
     * @throws ProblemException with all that is missing
     */
    static List<Problem> of(Kernel kernel, Machine machine, Reading reading, Optional<TailscaleProgram> tailscale) {
        Problems problems = new Problems();
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
        if (machine.netAdmin()) {
            problems.addAll(taken(reading));
        }
        problems.throwIfErrors();
        return problems.all();
    }

    /** Interfaces that bear our names and are somebody else's; ours, of a run that was killed, are taken over. */
    private static List<Problem> taken(Reading reading) {
        WireGuardDevices devices = Parts.devices(reading.settings());
        List<Problem> problems = new ArrayList<>();
        Stream.concat(Stream.of(ExitNodePlan.TUNNEL), reading.meshes().stream().map(PlainMesh::link))
                .filter(devices::isForeign)
                .forEach(name -> problems.add(Problem.machine(
                        Place.machine(name),
                        "there is an interface of this name already, and it is not ours",
                        "take it down with what made it (wg-quick down " + name + "), or "
                                + Hints.here().ownNetwork())));
        return problems;
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
                        "is 0 and read-only here, so nothing can be forwarded for the mesh",
                        cure));
            } else if (family == Family.IPV6 && machine.ipv6() && carries(reading, family)) {
                problems.add(Problem.warning(
                        Place.machine(name),
                        "is 0 and read-only here, so the mesh's clients have no IPv6, though the tunnel has",
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
                        + " and no way out by IPv6: as " + Forwarding.sysctl(Family.IPV6)
                        + " is on, the kernel heeds no router that advertises itself (slirp4netns does nothing else)",
                Hints.here().routerAdvertisements(lost.link()) + ", or leave " + Forwarding.sysctl(Family.IPV6)
                        + " away");
    }
}
