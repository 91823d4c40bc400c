package io.culvert.device;

import io.culvert.device.WireGuardDevice.Implementation;
import io.culvert.linux.Errno;
import io.culvert.netlink.GenericNetlink;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSocket.Outcome;
import io.culvert.network.Links.Found;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.ProgramDirectories;
import io.culvert.process.Supervisor;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Creates WireGuard devices, or adopts those that an earlier run left behind. Ours is a link with our alias, or an
 * unconfigured userspace device without any alias: Culvert may have been killed before it set the alias, and a program
 * that the supervisor restarted has lost it.
 *
 * <p>All operations apply to the network namespace of the calling thread.
 */
public final class WireGuardDevices {

    /** The wanted implementation. */
    public enum Choice {
        /** The kernel's if available, otherwise userspace. */
        AUTO,
        KERNEL,
        USERSPACE
    }

    private static final String KIND = "wireguard";

    private final Choice choice;
    private final Interfaces interfaces;
    private final Supplier<NetlinkSocket> genericSockets;
    private final UserspacePrograms programs;

    WireGuardDevices(
            Choice choice,
            UserspaceProgram program,
            Optional<Supervisor> supervisor,
            String alias,
            Supplier<NetlinkSocket> routeSockets,
            Supplier<NetlinkSocket> genericSockets) {
        this.choice = choice;
        this.interfaces = new Interfaces(routeSockets, alias);
        this.genericSockets = genericSockets;
        this.programs = new UserspacePrograms(program, supervisor, interfaces);
    }

    /**
     * Returns devices whose userspace programs are children of the supervisor, which restarts them: the device is
     * unconfigured then, and has to be configured again.
     *
     * @param alias the alias that identifies our links
     */
    public static WireGuardDevices supervised(
            Choice choice, UserspaceProgram program, Supervisor supervisor, String alias) {
        return new WireGuardDevices(
                choice,
                program,
                Optional.of(supervisor),
                alias,
                KernelNetlinkSocket::route,
                KernelNetlinkSocket::generic);
    }

    /**
     * Returns devices whose userspace programs continue when Culvert exits.
     *
     * @param alias the alias that identifies our links
     */
    public static WireGuardDevices lasting(Choice choice, UserspaceProgram program, String alias) {
        return new WireGuardDevices(
                choice, program, Optional.empty(), alias, KernelNetlinkSocket::route, KernelNetlinkSocket::generic);
    }

    /**
     * Returns lasting devices of any implementation, with the program that is shipped with Culvert, for callers without
     * settings.
     *
     * @param alias the alias that identifies our links
     */
    public static WireGuardDevices usual(String alias) {
        return lasting(
                Choice.AUTO,
                UserspaceProgram.usual(ProgramDirectories.told(), UserspaceProgram.USUAL_MEMORY_LIMIT),
                alias);
    }

    /**
     * Returns an existing device of ours.
     *
     * @return empty if there is no such interface, or it is not ours
     */
    public Optional<WireGuardDevice> find(String name) {
        return interfaces.find(checked(name)).flatMap(link -> ours(name, link));
    }

    /**
     * Ends the program of a device of ours whose interface was moved to another network namespace, and the interface
     * with it. Does nothing if there is none.
     */
    public void removeMoved(String name) {
        programs.find(checked(name)).ifPresent(device -> {
            device.remove();
            device.close();
        });
    }

    /** Returns a device that is kept as configured, without creating it yet. It may be used by any thread. */
    public KeptDevice kept(String name) {
        return new KeptDevice(
                port -> create(name, port), link -> interfaces.find(link).isPresent());
    }

    /** Returns whether an interface that is not ours has this name. */
    public boolean isForeign(String name) {
        return interfaces
                .find(checked(name))
                .filter(link -> !interfaces.ours(link) && ours(name, link).isEmpty())
                .isPresent();
    }

    /**
     * Returns the device with this name: the one that an earlier run left behind, as it is, or a new one without
     * configuration. One of ours that does not respond, or is not of the chosen implementation, is replaced; so is one
     * that was created here before, which the caller knows to be lost.
     *
     * @param listenPort the port that will be configured, as low ports need a capability; 0 for any
     * @throws ProblemException if the name is in use, or with all missing requirements
     */
    public WireGuardDevice create(String name, int listenPort) {
        programs.end(checked(name));
        Optional<Found> link = interfaces.find(name);
        Optional<WireGuardDevice> device = link.flatMap(it -> ours(name, it));
        if (device.isPresent() && isChosen(device.get().implementation()) && answers(device.get())) {
            interfaces.mark(name);
            return device.get();
        }
        if (link.isPresent()) {
            if (device.isEmpty() && !interfaces.ours(link.get())) {
                throw new ProblemException(Problem.failure(
                        Place.machine(name),
                        "an interface with this name already exists, and it is not Culvert's",
                        "rename the WireGuard file; or, if the interface is not needed, remove it: `ip link delete "
                                + name + "`"));
            }
            device.ifPresentOrElse(WireGuardDevices::remove, () -> interfaces.delete(name));
        }
        return make(name, listenPort);
    }

    private Optional<WireGuardDevice> ours(String name, Found link) {
        if (link.kind().equals(KIND)) {
            return interfaces.ours(link) ? Optional.of(kernelDevice(name)) : Optional.empty();
        }
        return programs.find(name)
                .filter(device -> interfaces.ours(link) || (link.alias().isEmpty() && isBlank(device.read())))
                .map(device -> device);
    }

    private static boolean answers(WireGuardDevice device) {
        try {
            device.read();
            return true;
        } catch (ProblemException _) {
            return false;
        }
    }

    private static boolean isBlank(DeviceState state) {
        return state.publicKey().isEmpty() && state.peers().isEmpty();
    }

    private boolean isChosen(Implementation implementation) {
        return switch (choice) {
            case AUTO -> true;
            case KERNEL -> implementation == Implementation.KERNEL;
            case USERSPACE -> implementation == Implementation.USERSPACE;
        };
    }

    private static void remove(WireGuardDevice device) {
        device.remove();
        device.close();
    }

    private WireGuardDevice make(String name, int listenPort) {
        if (choice == Choice.USERSPACE) {
            return programs.start(name, listenPort);
        }
        Outcome outcome = interfaces.add(name, KIND);
        if (outcome.done()) {
            return kernelDevice(name);
        }
        if (outcome.errno() != Errno.EOPNOTSUPP) {
            throw new ProblemException(refused(name, outcome));
        }
        if (choice == Choice.KERNEL) {
            throw new ProblemException(Problem.machine(
                    Place.machine("kernel"),
                    "this kernel has no WireGuard",
                    Hints.here().module("wireguard") + ", or set CULVERT_WIREGUARD_IMPLEMENTATION=auto"));
        }
        return programs.start(name, listenPort);
    }

    private static Problem refused(String name, Outcome outcome) {
        Place place = Place.machine(name);
        String what = "the interface cannot be created: " + Errno.text(outcome.errno())
                + (outcome.message().isEmpty() ? "" : ": " + outcome.message());
        return outcome.errno() == Errno.EPERM
                ? Problem.machine(place, what, Hints.here().netAdmin())
                : Problem.failure(place, what, "");
    }

    private KernelDevice kernelDevice(String name) {
        NetlinkSocket socket = genericSockets.get();
        try {
            int family = new GenericNetlink(socket)
                    .family(KIND)
                    .orElseThrow(() -> new ProblemException(Problem.machine(
                            Place.machine(name),
                            "the kernel has WireGuard interfaces but no generic netlink family to configure them",
                            "set CULVERT_WIREGUARD_IMPLEMENTATION=userspace")));
            return new KernelDevice(name, socket, family, interfaces);
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /** Checks a name: at most {@code IFNAMSIZ} - 1 characters (include/uapi/linux/if.h), and safe as a file name. */
    private static String checked(String name) {
        if (!name.matches("[A-Za-z0-9_=+.-]{1,15}") || name.matches("\\.+")) {
            throw new IllegalArgumentException("'" + name + "' is not an interface name");
        }
        return name;
    }
}
