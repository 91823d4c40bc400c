// SPDX-License-Identifier: Apache-2.0
package io.culvert.requirements;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.rtnl.Machine;
import io.culvert.wireguard.device.ImplementationChoice;
import io.culvert.wireguard.device.WireGuardDevice.Implementation;
import java.util.ArrayList;
import java.util.List;

/** Checks the requirements of a tunnel on the machine; each unmet one is reported with the option that meets it. */
public final class MachineRequirements {

    private MachineRequirements() {}

    /** Returns unmet requirements as errors, and limitations as warnings. */
    public static List<Problem> unmet(Machine machine, ImplementationChoice implementation) {
        List<Problem> problems = new ArrayList<>();
        if (!machine.netAdmin()) {
            problems.add(Problem.missingNetAdmin());
        }
        boolean kernel = machine.kernelWireGuard();
        if (implementation == ImplementationChoice.KERNEL && !kernel) {
            problems.add(Problem.machine(
                    Location.machine("kernel"),
                    "does not support WireGuard, but CULVERT_WIREGUARD_IMPLEMENTATION=kernel requires it",
                    Hints.here().loadModule("wireguard") + ", or set CULVERT_WIREGUARD_IMPLEMENTATION=auto"));
        } else if (!machine.tunDevice() && usesUserspace(machine, implementation)) {
            problems.add(Problem.machine(
                    Location.machine("/dev/net/tun"),
                    "cannot be opened, but userspace WireGuard requires it",
                    Hints.here().tunDevice()));
        }
        if (machine.uplinks().isEmpty()) {
            problems.add(Problem.warning(
                    Location.machine("network"),
                    "no default route and no other route through a gateway, for IPv4 or IPv6: only a server on a"
                            + " connected network is reachable for now",
                    Hints.here().defaultRoute() + "; the tunnel connects when a route to its server appears"));
        }
        return problems;
    }

    /** Returns whether userspace WireGuard will be used. */
    public static boolean usesUserspace(Machine machine, ImplementationChoice implementation) {
        return implementation.on(machine.kernelWireGuard()) == Implementation.USERSPACE;
    }
}
