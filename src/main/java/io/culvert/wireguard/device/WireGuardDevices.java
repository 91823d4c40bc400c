// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Errno;
import io.culvert.net.InterfaceName;
import io.culvert.netlink.GenericNetlink;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.process.ProgramDirectories;
import io.culvert.process.Supervisor;
import io.culvert.rtnl.LinkManager.LinkInfo;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Creates WireGuard devices, or adopts those that an earlier run left behind. Culvert's devices are links with its
 * alias, and unconfigured userspace devices without any alias: Culvert may have been killed before it set the alias,
 * and a program that the supervisor restarted has lost it.
 *
 * <p>All operations apply to the network namespace of the calling thread.
 */
public final class WireGuardDevices {

    private static final String KIND = "wireguard";

    private final ImplementationChoice choice;
    private final DeviceLinks links;
    private final Supplier<NetlinkSocket> genericSockets;
    private final UserspacePrograms programs;

    WireGuardDevices(
            ImplementationChoice choice,
            UserspaceProgram program,
            Optional<Supervisor> supervisor,
            String alias,
            Supplier<NetlinkSocket> routeSockets,
            Supplier<NetlinkSocket> genericSockets) {
        this.choice = choice;
        this.links = new DeviceLinks(routeSockets, alias);
        this.genericSockets = genericSockets;
        this.programs = new UserspacePrograms(program, supervisor, links);
    }

    /**
     * Returns devices whose userspace programs are children of the supervisor, which restarts them: the device is
     * unconfigured then, and has to be configured again.
     *
     * @param alias the alias that identifies Culvert's links
     */
    public static WireGuardDevices supervised(
            ImplementationChoice choice,
            UserspaceProgram program,
            Supervisor supervisor,
            String alias,
            NetlinkSockets sockets) {
        return new WireGuardDevices(choice, program, Optional.of(supervisor), alias, sockets::route, sockets::generic);
    }

    /**
     * Returns devices whose userspace programs continue when Culvert exits.
     *
     * @param alias the alias that identifies Culvert's links
     */
    public static WireGuardDevices detached(ImplementationChoice choice, UserspaceProgram program, String alias) {
        return detached(choice, program, alias, NetlinkSockets.KERNEL);
    }

    /**
     * Returns devices whose userspace programs continue when Culvert exits.
     *
     * @param alias the alias that identifies Culvert's links
     * @param sockets opens the sockets by which kernel devices are configured
     */
    public static WireGuardDevices detached(
            ImplementationChoice choice, UserspaceProgram program, String alias, NetlinkSockets sockets) {
        return new WireGuardDevices(choice, program, Optional.empty(), alias, sockets::route, sockets::generic);
    }

    /**
     * Returns detached devices of any implementation, with the program that is shipped with Culvert, for callers
     * without settings.
     *
     * @param alias the alias that identifies Culvert's links
     */
    public static WireGuardDevices withDefaults(String alias) {
        return detached(
                ImplementationChoice.AUTO,
                UserspaceProgram.withDefaults(ProgramDirectories.configured(), UserspaceProgram.DEFAULT_MEMORY_LIMIT),
                alias);
    }

    /**
     * Returns an existing device of Culvert.
     *
     * @return empty if there is no such interface, or it is not Culvert's
     */
    public Optional<WireGuardDevice> find(String name) {
        return links.find(requireValidName(name)).flatMap(link -> findOurs(name, link));
    }

    /**
     * Stops the program of a device of Culvert whose interface was moved to another network namespace, and the
     * interface with it. Does nothing if there is none.
     */
    public void removeMoved(String name) {
        programs.find(requireValidName(name)).ifPresent(device -> {
            device.remove();
            device.close();
        });
    }

    /** Returns a managed device, without creating it yet. Thread-safe. */
    public ManagedDevice managed(String name) {
        return new ManagedDevice(
                port -> create(name, port), link -> links.find(link).isPresent());
    }

    /** Returns whether another program's interface has this name. */
    public boolean isForeign(String name) {
        return links.find(requireValidName(name))
                .filter(link -> !links.isOurs(link) && findOurs(name, link).isEmpty())
                .isPresent();
    }

    /**
     * Returns the device with this name: the one that an earlier run left behind, as it is, or a new one without
     * configuration. A device of Culvert that does not respond, or is not of the chosen implementation, is replaced; so
     * is one that was created here before, of which the caller knows that its program exited.
     *
     * @param listenPort the port that will be configured, as low ports need a capability; 0 for any
     * @throws ProblemException if the name is in use, or with all missing requirements
     */
    public WireGuardDevice create(String name, int listenPort) {
        programs.stop(requireValidName(name));
        Optional<LinkInfo> link = links.find(name);
        Optional<WireGuardDevice> device = link.flatMap(it -> findOurs(name, it));
        if (device.isPresent() && choice.permits(device.get().implementation()) && responds(device.get())) {
            links.setAlias(name);
            return device.get();
        }
        if (link.isPresent()) {
            if (device.isEmpty() && !links.isOurs(link.get())) {
                throw new ProblemException(Problem.failure(
                        Location.machine(name),
                        "an interface with this name already exists, and it is not Culvert's",
                        "rename the WireGuard file; or, if the interface is not needed, remove it: `ip link delete "
                                + name + "`"));
            }
            device.ifPresentOrElse(WireGuardDevices::remove, () -> links.delete(name));
        }
        return createNew(name, listenPort);
    }

    private Optional<WireGuardDevice> findOurs(String name, LinkInfo link) {
        if (link.kind().equals(KIND)) {
            return links.isOurs(link) ? Optional.of(kernelDevice(name)) : Optional.empty();
        }
        return programs.find(name)
                .filter(device -> links.isOurs(link) || (link.alias().isEmpty() && isUnconfigured(device.read())))
                .map(device -> device);
    }

    private static boolean responds(WireGuardDevice device) {
        try {
            device.read();
            return true;
        } catch (ProblemException _) {
            return false;
        }
    }

    private static boolean isUnconfigured(DeviceState state) {
        return state.publicKey().isEmpty() && state.peers().isEmpty();
    }

    private static void remove(WireGuardDevice device) {
        device.remove();
        device.close();
    }

    private WireGuardDevice createNew(String name, int listenPort) {
        if (choice == ImplementationChoice.USERSPACE) {
            return programs.start(name, listenPort);
        }
        Outcome outcome = links.add(name, KIND);
        if (outcome.succeeded()) {
            return kernelDevice(name);
        }
        if (outcome.errno() != Errno.EOPNOTSUPP) {
            throw new ProblemException(creationProblem(name, outcome));
        }
        if (choice == ImplementationChoice.KERNEL) {
            throw new ProblemException(Problem.machine(
                    Location.machine("kernel"),
                    "this kernel has no WireGuard",
                    Hints.here().loadModule("wireguard") + ", or set CULVERT_WIREGUARD_IMPLEMENTATION=auto"));
        }
        return programs.start(name, listenPort);
    }

    private static Problem creationProblem(String name, Outcome outcome) {
        Location location = Location.machine(name);
        String message = "the interface cannot be created: " + Errno.describe(outcome.errno())
                + (outcome.message().isEmpty() ? "" : ": " + outcome.message());
        return outcome.errno() == Errno.EPERM
                ? Problem.machine(location, message, Hints.here().netAdmin())
                : Problem.failure(location, message, "");
    }

    private KernelDevice kernelDevice(String name) {
        NetlinkSocket socket = genericSockets.get();
        try {
            int family = new GenericNetlink(socket)
                    .findFamily(KIND)
                    .orElseThrow(() -> new ProblemException(Problem.machine(
                            Location.machine(name),
                            "the kernel has WireGuard interfaces but no generic netlink family to configure them",
                            "set CULVERT_WIREGUARD_IMPLEMENTATION=userspace")));
            return new KernelDevice(name, socket, family, links);
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private static String requireValidName(String name) {
        if (!InterfaceName.isValid(name)) {
            throw new IllegalArgumentException("'" + name + "' is not an interface name");
        }
        return name;
    }
}
