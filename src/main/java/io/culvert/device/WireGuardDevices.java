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
 * Makes WireGuard devices, or takes over those an earlier run of ours left behind. Ours is a link that bears our mark, or a
 * userspace device that bears none and nobody has configured: between its birth and its mark we may have been killed, and one
 * that the supervisor started again has lost it.
 *
 * <p>All of it happens in the network namespace of the calling thread.
 */
public final class WireGuardDevices {

    /** Which implementation is wanted. */
    public enum Choice {
        /** The kernel's where there is one, else a program. */
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
     * Userspace programs are children of the supervisor, which starts one that ends again: the device is a blank one then, and
     * to be configured anew.
     *
     * @param alias our mark on links
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
     * Userspace programs go on when we end.
     *
     * @param alias our mark on links
     */
    public static WireGuardDevices lasting(Choice choice, UserspaceProgram program, String alias) {
        return new WireGuardDevices(
                choice, program, Optional.empty(), alias, KernelNetlinkSocket::route, KernelNetlinkSocket::generic);
    }

    /**
     * The same of either implementation, with the program that belongs to this one: for all that have no settings of their own.
     *
     * @param alias our mark on links
     */
    public static WireGuardDevices usual(String alias) {
        return lasting(
                Choice.AUTO,
                UserspaceProgram.usual(ProgramDirectories.told(), UserspaceProgram.USUAL_MEMORY_LIMIT),
                alias);
    }

    /**
     * A device of ours that exists.
     *
     * @return empty where there is no such interface, or it is not ours
     */
    public Optional<WireGuardDevice> find(String name) {
        return interfaces.find(checked(name)).flatMap(link -> ours(name, link));
    }

    /**
     * Ends the program of a device of ours whose interface was moved to another network namespace, and the interface with it.
     * Nothing happens where there is none.
     */
    public void removeMoved(String name) {
        programs.find(checked(name)).ifPresent(device -> {
            device.remove();
            device.close();
        });
    }

    /** A device of this name that is to be kept; nothing is made yet. It may be asked by any thread. */
    public KeptDevice kept(String name) {
        return new KeptDevice(
                port -> create(name, port), link -> interfaces.find(link).isPresent());
    }

    /** Whether the name is taken by an interface that is not ours. */
    public boolean isForeign(String name) {
        return interfaces
                .find(checked(name))
                .filter(link -> !interfaces.ours(link) && ours(name, link).isEmpty())
                .isPresent();
    }

    /**
     * The device of this name: the one that an earlier run left, as it is, or a new one without any configuration. One of ours
     * that does not answer, or is not of the chosen implementation, is replaced; so is the one that was made here before, of
     * which its keeper knows that it is lost.
     *
     * @param listenPort that it will be told to use, for which a program may need more than for any port; 0 for any
     * @throws ProblemException when the name is taken, or the machine lacks what it takes, all of which is named
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
                        "there is an interface of this name already, and it is not ours",
                        "give the WireGuard file another name; or, where nothing needs it any more, remove it: `ip link delete "
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
                    "it has no WireGuard",
                    Hints.here().module("wireguard") + ", or let CULVERT_WIREGUARD_IMPLEMENTATION be auto"));
        }
        return programs.start(name, listenPort);
    }

    private static Problem refused(String name, Outcome outcome) {
        Place place = Place.machine(name);
        String what = "the interface cannot be made: " + Errno.text(outcome.errno())
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
                            "the kernel makes WireGuard interfaces but has no way to configure them",
                            "set CULVERT_WIREGUARD_IMPLEMENTATION to userspace")));
            return new KernelDevice(name, socket, family, interfaces);
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /** {@code IFNAMSIZ} less one (include/uapi/linux/if.h), and nothing that could lead out of a directory. */
    private static String checked(String name) {
        if (!name.matches("[A-Za-z0-9_=+.-]{1,15}") || name.matches("\\.+")) {
            throw new IllegalArgumentException("'" + name + "' is not an interface name");
        }
        return name;
    }
}
