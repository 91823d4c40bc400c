package io.culvert.needs;

import io.culvert.network.Machine;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.settings.WireGuardSettings.Implementation;
import java.util.ArrayList;
import java.util.List;

/** What a tunnel needs of the machine, each with the runtime option that cures its absence. */
public final class MachineNeeds {

    private MachineNeeds() {}

    /** What no tunnel can be made without, and what it had better have. */
    public static List<Problem> missing(Machine machine, Implementation wanted) {
        List<Problem> problems = new ArrayList<>();
        if (!machine.netAdmin()) {
            problems.add(Problem.machine(
                    Place.machine("CAP_NET_ADMIN"),
                    "is missing, so neither the guard nor the tunnel can be made",
                    Hints.here().netAdmin()));
        }
        boolean kernel = machine.kernelWireGuard();
        if (wanted == Implementation.KERNEL && !kernel) {
            problems.add(Problem.machine(
                    Place.machine("kernel"),
                    "has no WireGuard, but CULVERT_WIREGUARD_IMPLEMENTATION=kernel asks for it",
                    Hints.here().module("wireguard") + ", or leave the setting at auto"));
        } else if (!machine.tunDevice() && userspace(machine, wanted)) {
            problems.add(Problem.machine(
                    Place.machine("/dev/net/tun"),
                    "cannot be opened, and userspace WireGuard needs it",
                    Hints.here().tunDevice()));
        }
        if (machine.uplinks().isEmpty()) {
            problems.add(Problem.warning(
                    Place.machine("network"),
                    "there is no default route in either family, nor another route by a gateway: only a server on a"
                            + " connected network can be reached yet",
                    Hints.here().defaultRoute() + "; the tunnel is raised when a route to its server appears"));
        }
        return problems;
    }

    /** Whether it is the userspace WireGuard that will be taken. */
    public static boolean userspace(Machine machine, Implementation wanted) {
        return wanted == Implementation.USERSPACE || (wanted == Implementation.AUTO && !machine.kernelWireGuard());
    }
}
