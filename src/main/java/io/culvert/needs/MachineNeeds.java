package io.culvert.needs;

import io.culvert.network.Machine;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.settings.WireGuardSettings.Implementation;
import java.util.ArrayList;
import java.util.List;

/** Checks the requirements of a tunnel on the machine; each unmet one is reported with the option that meets it. */
public final class MachineNeeds {

    private MachineNeeds() {}

    /** Returns unmet requirements as errors, and limitations as warnings. */
    public static List<Problem> missing(Machine machine, Implementation wanted) {
        List<Problem> problems = new ArrayList<>();
        if (!machine.netAdmin()) {
            problems.add(Problem.machine(
                    Place.machine("CAP_NET_ADMIN"),
                    "is missing, but the kill switch and the tunnel require it",
                    Hints.here().netAdmin()));
        }
        boolean kernel = machine.kernelWireGuard();
        if (wanted == Implementation.KERNEL && !kernel) {
            problems.add(Problem.machine(
                    Place.machine("kernel"),
                    "does not support WireGuard, but CULVERT_WIREGUARD_IMPLEMENTATION=kernel requires it",
                    Hints.here().module("wireguard") + ", or set CULVERT_WIREGUARD_IMPLEMENTATION=auto"));
        } else if (!machine.tunDevice() && userspace(machine, wanted)) {
            problems.add(Problem.machine(
                    Place.machine("/dev/net/tun"),
                    "cannot be opened, but userspace WireGuard requires it",
                    Hints.here().tunDevice()));
        }
        if (machine.uplinks().isEmpty()) {
            problems.add(Problem.warning(
                    Place.machine("network"),
                    "no default route and no other route through a gateway, for IPv4 or IPv6: only a server on a"
                            + " connected network is reachable for now",
                    Hints.here().defaultRoute() + "; the tunnel connects when a route to its server appears"));
        }
        return problems;
    }

    /** Whether userspace WireGuard will be used. */
    public static boolean userspace(Machine machine, Implementation wanted) {
        return wanted == Implementation.USERSPACE || (wanted == Implementation.AUTO && !machine.kernelWireGuard());
    }
}
