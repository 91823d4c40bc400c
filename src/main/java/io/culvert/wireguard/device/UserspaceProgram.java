// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.linux.Capabilities;
import io.culvert.linux.Privileges;
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
 * The userspace WireGuard program and its requirements. It is only run by an absolute path, as {@code PATH} may be set
 * by anyone.
 *
 * @param chosen if present, the only program that is used
 * @param directories searched for {@code wireguard-go} before those of the system
 * @param sockets the directory of its sockets: {@code /var/run/wireguard}, which is compiled into it
 * @param tunnelDevice {@code /dev/net/tun}
 * @param memoryLimit a value for Go's {@code GOMEMLIMIT}, such as {@code 96MiB} or {@code off}
 * @param timeout the timeout of a request
 */
public record UserspaceProgram(
        Optional<Path> chosen,
        List<Path> directories,
        Path sockets,
        Path tunnelDevice,
        String memoryLimit,
        Duration timeout) {

    /** Keeps most of the throughput with a fifth of the memory under load. */
    public static final String DEFAULT_MEMORY_LIMIT = "96MiB";

    private static final String NAME = "wireguard-go";

    /** A request with ten thousand peers takes a second or two. */
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

    public UserspaceProgram {
        directories = List.copyOf(directories);
    }

    /** Returns the program with the default paths and limits. */
    public static UserspaceProgram withDefaults(Optional<Path> chosen, List<Path> directories) {
        return withDefaults(chosen, directories, DEFAULT_MEMORY_LIMIT);
    }

    /**
     * Returns the program with the default paths, if none is chosen explicitly.
     *
     * @param directories searched first
     */
    public static UserspaceProgram withDefaults(List<Path> directories, String memoryLimit) {
        return withDefaults(Optional.empty(), directories, memoryLimit);
    }

    private static UserspaceProgram withDefaults(Optional<Path> chosen, List<Path> directories, String memoryLimit) {
        return new UserspaceProgram(
                chosen,
                directories,
                Path.of("/var/run/wireguard"),
                Path.of("/dev/net/tun"),
                memoryLimit,
                DEFAULT_TIMEOUT);
    }

    /** Returns the program's path; empty if it is not installed. */
    public Optional<Path> find() {
        Stream<Path> candidates = chosen.isPresent()
                ? chosen.stream()
                : Stream.concat(directories.stream(), ProgramDirectories.SYSTEM.stream())
                        .map(directory -> directory.resolve(NAME));
        return candidates
                .filter(program -> program.isAbsolute() && Files.isRegularFile(program) && Files.isExecutable(program))
                .findFirst();
    }

    /** Returns missing requirements, and creates the directory of its sockets. */
    public List<Problem> missingRequirements() {
        Problems problems = new Problems();
        if (find().isEmpty()) {
            problems.add(Problem.machine(
                    Location.machine(chosen.map(Path::toString).orElse(NAME)),
                    "userspace WireGuard not found" + (chosen.isPresent() ? " at this absolute path" : ""),
                    "install the package wireguard-go, or use a kernel with WireGuard"));
        }
        tunnelDeviceProblem().ifPresent(problems::add);
        socketsProblem().ifPresent(problems::add);
        return problems.all();
    }

    /** Creates the directory of its sockets if needed, and returns why it cannot be used, if so. */
    public Optional<Problem> socketsProblem() {
        try {
            Files.createDirectories(sockets);
        } catch (IOException e) {
            return Optional.of(socketsProblem("the directory cannot be created: " + reason(e)));
        }
        return Files.isWritable(sockets)
                ? Optional.empty()
                : Optional.of(socketsProblem(
                        isReadOnly()
                                ? "the directory is on a read-only file system"
                                : "the directory is not writable for this user"));
    }

    private boolean isReadOnly() {
        try {
            return Files.getFileStore(sockets).isReadOnly();
        } catch (IOException _) {
            return false;
        }
    }

    private Problem socketsProblem(String reason) {
        return Problem.machine(
                Location.machine(sockets.toString()),
                "the userspace WireGuard needs this directory for its sockets, but " + reason,
                Hints.here().makeWritable("/run"));
    }

    private Optional<Problem> tunnelDeviceProblem() {
        try (FileChannel _ = FileChannel.open(tunnelDevice, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return Optional.empty();
        } catch (NoSuchFileException _) {
            return Optional.of(tunnelDeviceProblem(
                    "the device does not exist", Hints.here().missingTunDevice()));
        } catch (IOException e) {
            // The device node may exist without a driver: ENODEV. EACCES and EPERM mean denied, the latter by a
            // cgroup's device controller.
            boolean absent = reason(e).contains("No such device");
            return Optional.of(tunnelDeviceProblem(
                    "the device cannot be opened: " + reason(e),
                    absent ? Hints.here().missingTunDevice() : Hints.here().deniedTunDevice()));
        }
    }

    private Problem tunnelDeviceProblem(String message, String hint) {
        return Problem.machine(Location.machine(tunnelDevice.toString()), message, hint);
    }

    /** Removes the path with which the JDK's message begins. */
    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        String text = String.valueOf(e.getMessage());
        return text.substring(text.lastIndexOf(": ") < 0 ? 0 : text.lastIndexOf(": ") + 2);
    }

    /**
     * Returns the specification of a start in the foreground, with error messages on its output.
     *
     * @param listenPort the port that will be configured; 0 for any
     */
    ChildSpec childSpec(Path program, String name, int listenPort) {
        return new ChildSpec(
                NAME + " " + name,
                program,
                List.of("-f", name),
                // The program sets the last one for its own background process; with it, it prints no banner.
                Map.of("LOG_LEVEL", "error", "GOMEMLIMIT", memoryLimit, "WG_PROCESS_FOREGROUND", "1"),
                privileges(listenPort),
                STOP_TIMEOUT);
    }

    /** It needs NET_ADMIN to create its interface and to mark its sockets, which it reopens when the port changes. */
    private static Privileges privileges(int listenPort) {
        Set<Integer> capabilities = new HashSet<>(Capabilities.requiredToListenOn(listenPort));
        capabilities.add(Capabilities.NET_ADMIN);
        return Privileges.withCapabilities(capabilities);
    }

    /** Returns the process for a start without a supervisor, which continues when Culvert exits. */
    static ProcessBuilder detachedProcess(ChildSpec spec) {
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
