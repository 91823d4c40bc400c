package io.culvert.confinement;

import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.ip.Family;
import io.culvert.linux.Account;
import io.culvert.linux.Capabilities;
import io.culvert.linux.InheritedSocket;
import io.culvert.linux.Replacement;
import io.culvert.linux.Sysctl;
import io.culvert.needs.TunnelFile;
import io.culvert.network.Ipv6;
import io.culvert.network.Paths;
import io.culvert.plan.ConfinementPlan;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.process.OwnProgram;
import io.culvert.process.ProgramDirectories;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.run.Turn;
import io.culvert.wireguard.WireGuardConfig;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Confinement for users other than root, where they can create user namespaces. A process with several threads, such as
 * a Java program, can neither create nor enter one; so this process becomes {@code unshare} or {@code nsenter} of
 * util-linux, which then becomes this program again inside.
 *
 * <p>The daemon is root in its own user namespace with its own network namespace, in which the tunnel's link is
 * created; from there it is moved to the programs' namespace. Of the machine's network the daemon only has sockets that
 * were opened before.
 */
final class Rootless {

    private Rootless() {}

    /** Returns whether this process needs a user namespace to create other namespaces. */
    static boolean applies(Surroundings around) {
        try {
            return !Capabilities.read(around.root().resolve("proc")).has(Capabilities.SYS_ADMIN);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the runtime directory of this user. */
    static Path directory(Surroundings around) {
        return Optional.ofNullable(around.environment().get("XDG_RUNTIME_DIR"))
                .map(Path::of)
                .filter(Files::isDirectory)
                .orElseThrow(() -> new ProblemException(Problem.machine(
                        Place.machine("XDG_RUNTIME_DIR"),
                        "is not a directory, which users other than root need for a namespace",
                        "log in again, or set it to a directory that only this user can access")))
                .resolve("culvert/netns");
    }

    /** Returns what prevents this user from creating user namespaces, as far as the kernel reports it. */
    static List<Problem> missing(Surroundings around) {
        Problems problems = new Problems();
        Sysctl sysctl = new Sysctl(around.root().resolve("proc/sys"));
        refusing(sysctl, "kernel/unprivileged_userns_clone", "0", "1").ifPresent(problems::add);
        refusing(sysctl, "kernel/apparmor_restrict_unprivileged_userns", "1", "0")
                .ifPresent(problems::add);
        refusing(sysctl, "user/max_user_namespaces", "0", "15000").ifPresent(problems::add);
        for (String program : List.of("unshare", "nsenter")) {
            if (find(program).isEmpty()) {
                problems.add(Problem.machine(
                        Place.machine(program),
                        "is not installed",
                        "install the package util-linux, or run Culvert as root"));
            }
        }
        return problems.all();
    }

    private static Optional<Problem> refusing(Sysctl sysctl, String name, String bad, String good) {
        return sysctl.read(name)
                .filter(bad::equals)
                .map(_ -> Problem.machine(
                        Place.machine(name.replace('/', '.')),
                        "is " + bad + ": only root can create namespaces on this machine",
                        "run Culvert as root (sudo culvert exec --user \"$USER\" …), or allow it: sudo sysctl -w "
                                + name.replace('/', '.') + "=" + good));
    }

    private static Optional<Path> find(String program) {
        return ProgramDirectories.SYSTEM.stream()
                .map(directory -> directory.resolve(program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * Becomes a daemon in a user namespace. Names are resolved and sockets opened before, while there is a network.
     *
     * @param arguments of the daemon, to which the sockets are added
     */
    static void keep(Surroundings around, OwnProgram own, String name, Wish wish, List<String> arguments) {
        Problems problems = new Problems();
        problems.addAll(missing(around));
        problems.throwIfErrors();
        Confinement confinement = Confinement.of(around, name).prepare();
        try (Turn _ = Turn.await(confinement.kept())) {
            clear(confinement);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        WireGuardConfig file =
                TunnelFile.of(wish.config().toString(), around.root()).read(around.journal(), true);
        List<Outside.Way> ways = new ArrayList<>();
        ConfinementPlan plan;
        try (Kernel kernel = Kernel.open(around)) {
            plan = ConfinementPlan.of(
                    file,
                    kernel.machine(),
                    TunnelFile.resolve(file, kernel.machine()),
                    new Paths(kernel.route())::mtu,
                    Ipv6.EVERYWHERE,
                    OptionalInt.empty(),
                    wish.admitted());
        }
        for (int i = 0; i < plan.device().peers().size(); i++) {
            PeerConfig peer = plan.device().peers().get(i);
            if (peer.endpoint().isPresent()) {
                ways.add(new Outside.Way(
                        i,
                        InheritedSocket.open(Family.of(peer.endpoint().get().getAddress())),
                        peer.endpoint().get()));
            }
        }
        List<String> words = new ArrayList<>(List.of(
                find("unshare").orElseThrow().toString(), "--user", "--map-root-user", "--net", "--mount", "--"));
        words.addAll(own.command(arguments));
        words.addAll(List.of("--outside", new Outside(confinement.directory(), plan.mtu(), ways).toString()));
        become(
                new Replacement(bytes(words), environment(around)),
                ways.stream().map(way -> way.socket().number()).collect(Collectors.toSet()));
    }

    /**
     * Enters the namespace of a daemon, in a user namespace below the daemon's, with capabilities for its own mount
     * namespace and none over the network.
     *
     * @param answer of the daemon
     * @param program to run in the end
     */
    static void enter(OwnProgram own, JsonObject answer, Replacement program) {
        List<byte[]> words = new ArrayList<>(bytes(List.of(
                find("nsenter").orElseThrow().toString(),
                "--user=" + answer.getString("user"),
                "--net=" + answer.getString("namespace"),
                "--preserve-credentials",
                "--",
                find("unshare").orElseThrow().toString(),
                "--user",
                "--map-user=" + Account.effectiveUser(),
                "--map-group=" + Account.effectiveGroup(),
                "--mount",
                "--keep-caps",
                "--")));
        words.addAll(bytes(own.command(List.of("exec", "--inside", answer.toString(), "--"))));
        words.addAll(program.arguments());
        become(new Replacement(words, program.environment()), Set.of());
    }

    /**
     * Ends what a killed daemon left: its userspace WireGuard, which has no connection any more. Everything else was in
     * its own namespaces.
     */
    static void clear(Confinement confinement) throws IOException {
        ProcessHandle.allProcesses()
                .filter(process -> isProgram(process.pid(), confinement.outerLink()))
                .forEach(ProcessHandle::destroyForcibly);
        confinement.forget();
    }

    /** Recognizes the program by the last word of its command line, the unique name of its link. */
    private static boolean isProgram(long pid, String link) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"), StandardCharsets.ISO_8859_1)
                    .endsWith("\0" + link + "\0");
        } catch (IOException _) {
            return false; // It has exited.
        }
    }

    private static void become(Replacement program, Set<Integer> handedOn) {
        try {
            int status = program.become(Optional.empty(), handedOn);
            throw new ProblemException(
                    Problem.machine(Place.machine(program.name()), "cannot be executed: status " + status, ""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<byte[]> environment(Surroundings around) {
        return around.environment().entrySet().stream()
                .map((Map.Entry<String, String> variable) -> variable.getKey() + "=" + variable.getValue())
                .map(variable -> variable.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    private static List<byte[]> bytes(List<String> words) {
        return Stream.of(words)
                .flatMap(List::stream)
                .map(word -> word.getBytes(StandardCharsets.UTF_8))
                .toList();
    }
}
