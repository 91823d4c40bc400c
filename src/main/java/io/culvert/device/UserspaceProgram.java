package io.culvert.device;

import io.culvert.linux.Capabilities;
import io.culvert.linux.Privileges;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import io.culvert.process.ChildSpec;
import io.culvert.process.ProgramDirectories;
import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The userspace WireGuard, and what it needs of the machine. It is only ever run by an absolute path: a {@code PATH} is
 * anyone's.
 *
 * @param chosen used and nothing else, where it is there
 * @param directories where {@code wireguard-go} is looked for first, before the system's
 * @param sockets where it puts its sockets: {@code /var/run/wireguard}, which is compiled into it
 * @param tunnelDevice {@code /dev/net/tun}
 * @param memoryLimit what Go's {@code GOMEMLIMIT} takes, such as {@code 96MiB} or {@code off}
 * @param patience how long it may take to answer a request
 */
public record UserspaceProgram(
        Optional<Path> chosen,
        List<Path> directories,
        Path sockets,
        Path tunnelDevice,
        String memoryLimit,
        Duration patience) {

    /** Keeps most of the speed and a fifth of the memory under load. */
    public static final String USUAL_MEMORY_LIMIT = "96MiB";

    private static final String NAME = "wireguard-go";

    /** Ten thousand peers take a second or two. */
    private static final Duration USUAL_PATIENCE = Duration.ofSeconds(10);

    private static final Duration GRACE = Duration.ofSeconds(5);

    public UserspaceProgram {
        directories = List.copyOf(directories);
    }

    /** With the paths and the limits that serve everywhere but in tests. */
    public static UserspaceProgram usual(Optional<Path> chosen, List<Path> directories) {
        return usual(chosen, directories, USUAL_MEMORY_LIMIT);
    }

    /**
     * Where none is chosen.
     *
     * @param directories where it is looked for first
     */
    public static UserspaceProgram usual(List<Path> directories, String memoryLimit) {
        return usual(Optional.empty(), directories, memoryLimit);
    }

    private static UserspaceProgram usual(Optional<Path> chosen, List<Path> directories, String memoryLimit) {
        return new UserspaceProgram(
                chosen,
                directories,
                Path.of("/var/run/wireguard"),
                Path.of("/dev/net/tun"),
                memoryLimit,
                USUAL_PATIENCE);
    }

    /** The program to be run; empty where there is none. */
    public Optional<Path> find() {
        Stream<Path> candidates = chosen.isPresent()
                ? chosen.stream()
                : Stream.concat(directories.stream(), ProgramDirectories.SYSTEM.stream())
                        .map(directory -> directory.resolve(NAME));
        return candidates
                .filter(program -> program.isAbsolute() && Files.isRegularFile(program) && Files.isExecutable(program))
                .findFirst();
    }

    /** All that keeps it from running; makes the directory of its sockets. */
    public List<Problem> missing() {
        Problems problems = new Problems();
        if (find().isEmpty()) {
            problems.add(Problem.machine(
                    Place.machine(chosen.map(Path::toString).orElse(NAME)),
                    "there is no userspace WireGuard" + (chosen.isPresent() ? " at this absolute path" : ""),
                    "install the package wireguard-go, or run on a kernel that has WireGuard"));
        }
        tunnelDeviceProblem().ifPresent(problems::add);
        socketsProblem().ifPresent(problems::add);
        return problems.all();
    }

    /** What is wrong with the directory of its sockets, which is made where it is not there. */
    public Optional<Problem> socketsProblem() {
        try {
            Files.createDirectories(sockets);
        } catch (IOException e) {
            return Optional.of(socketsProblem("the directory cannot be made: " + reason(e)));
        }
        return Files.isWritable(sockets)
                ? Optional.empty()
                : Optional.of(socketsProblem(
                        isReadOnly()
                                ? "the directory is on a read-only file system"
                                : "this user may not write into the directory"));
    }

    private boolean isReadOnly() {
        try {
            return Files.getFileStore(sockets).isReadOnly();
        } catch (IOException _) {
            return false;
        }
    }

    private Problem socketsProblem(String what) {
        return Problem.machine(
                Place.machine(sockets.toString()),
                "the userspace WireGuard keeps its sockets here and nowhere else, but " + what,
                Hints.here().writable("/run"));
    }

    private Optional<Problem> tunnelDeviceProblem() {
        try (FileChannel _ = FileChannel.open(tunnelDevice, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return Optional.empty();
        } catch (NoSuchFileException _) {
            return Optional.of(
                    tunnelDeviceProblem("the device is not there", Hints.here().missingTunDevice()));
        } catch (IOException e) {
            // The node may exist without a driver behind it: ENODEV. Denied are EACCES and EPERM, the latter by a
            // cgroup.
            boolean absent = reason(e).contains("No such device");
            return Optional.of(tunnelDeviceProblem(
                    "the device cannot be opened: " + reason(e),
                    absent ? Hints.here().missingTunDevice() : Hints.here().deniedTunDevice()));
        }
    }

    private Problem tunnelDeviceProblem(String what, String cure) {
        return Problem.machine(Place.machine(tunnelDevice.toString()), what, cure);
    }

    /** The JDK's text begins with the path. */
    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        String text = String.valueOf(e.getMessage());
        return text.substring(text.lastIndexOf(": ") < 0 ? 0 : text.lastIndexOf(": ") + 2);
    }

    /**
     * In the foreground, its errors told.
     *
     * @param listenPort that it will be told to use; 0 for any
     */
    ChildSpec supervised(Path program, String name, int listenPort) {
        return new ChildSpec(
                NAME + " " + name,
                program,
                List.of("-f", name),
                // The last one is how the program hands itself over to its background; told, it leaves out its banner.
                Map.of("LOG_LEVEL", "error", "GOMEMLIMIT", memoryLimit, "WG_PROCESS_FOREGROUND", "1"),
                privileges(listenPort),
                GRACE);
    }

    /** It makes its interface, and marks each socket that it opens, whenever it is told another port; nothing else. */
    private static Privileges privileges(int listenPort) {
        Set<Integer> capabilities = new HashSet<>(Capabilities.toListenOn(listenPort));
        capabilities.add(Capabilities.NET_ADMIN);
        return Privileges.keeping(capabilities);
    }

    /** The same without a supervisor: it goes on when we end. */
    static ProcessBuilder lasting(ChildSpec spec) {
        List<String> command = new ArrayList<>(List.of(spec.program().toString()));
        command.addAll(spec.arguments());
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().putAll(spec.environment());
        return builder;
    }
}
