// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/**
 * Rootless Podman on the lab's node. Packets of its containers leave by the node's uplink, with the node's address, where the
 * observer sees them; published ports are opened on the node. Only one can run at a time, as its socket has a fixed path.
 */
public final class ContainerEngine implements AutoCloseable {

    /** The path in the environment variable DOCKER_HOST, which Testcontainers uses. */
    private static final Path SOCKET = Path.of("/run/engine/podman.sock");

    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);

    private final Lab lab;
    private final Path files;
    private final RunningProgram service;
    private final List<String> attached = new ArrayList<>();

    private ContainerEngine(Lab lab) {
        this.lab = lab;
        try {
            files = Files.createTempDirectory("culvert-engine");
            Files.setPosixFilePermissions(files, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        file("resolv.conf", "nameserver " + Lab.ROUTER_IPV4 + "\n");
        prepare();
        // Resources of an earlier run would use the same addresses and names.
        removeAll();
        service = serve();
    }

    /** Runs first, as the first command determines the resolver of all later ones. */
    private void prepare() {
        CommandResult prepared = CommandResult.of(inNode(
                Map.of(),
                List.of(Path.of("scripts/rootless-podman").toAbsolutePath().toString())));
        if (prepared.status() != 0) {
            throw new TestAbortedException(prepared.err().strip());
        }
    }

    private RunningProgram serve() {
        Path directory = Objects.requireNonNull(SOCKET.getParent());
        try (WatchService watch = directory.getFileSystem().newWatchService()) {
            Files.createDirectories(directory);
            Files.deleteIfExists(SOCKET);
            // The engine's user creates the socket.
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
            directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            RunningProgram started = RunningProgram.start(
                    "podman service", inNode(Map.of(), List.of(program("podman-service"), SOCKET.toString())));
            if (watch.poll(ScaledTimeout.of(START_TIMEOUT).toSeconds(), TimeUnit.SECONDS) == null) {
                started.close();
                throw new AssertionError("podman's service does not listen. Output:\n" + started.output());
            }
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /**
     * Starts rootless Podman on the lab's node.
     *
     * @throws TestAbortedException with the reason if it is not available
     */
    public static ContainerEngine on(Lab lab) {
        return new ContainerEngine(lab);
    }

    private static String program(String name) {
        return Path.of(".cache/bin", name).toAbsolutePath().toString();
    }

    /** Runs {@code podman} and returns its output; fails if it fails. */
    public String run(String... arguments) {
        return attempt(arguments).outputOrFail();
    }

    /** Runs {@code podman} and returns its result. */
    public CommandResult attempt(String... arguments) {
        List<String> command = new ArrayList<>(List.of(program("podman")));
        command.addAll(List.of(arguments));
        return CommandResult.of(inNode(Map.of(), command));
    }

    /** Runs {@code podman-compose} in a directory and returns its result. */
    public CommandResult compose(Path directory, Map<String, String> environment, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                "sh",
                "-c",
                "cd \"$1\" && shift && exec \"$@\"",
                "compose",
                directory.toString(),
                program("podman-compose")));
        command.addAll(List.of("--podman-path", program("podman")));
        command.addAll(List.of(arguments));
        return CommandResult.of(inNode(environment, command));
    }

    /** Returns the command that runs the given one on the node: with its resolver, without the machine's D-Bus session. */
    private List<String> inNode(Map<String, String> environment, List<String> command) {
        List<String> all =
                new ArrayList<>(List.of("env", "-i", "PATH=" + System.getenv("PATH"), "LANG=C.UTF-8", "HOME=/root"));
        environment.forEach((name, value) -> all.add(name + "=" + value));
        all.addAll(List.of(
                "sh",
                "-c",
                "mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"",
                "node",
                files.resolve("resolv.conf").toString()));
        all.addAll(command);
        return lab.node().namespace().inside(all);
    }

    /** Writes a file that every user can read, the engine's user included. */
    public Path file(String name, String text) {
        try {
            Path path = files.resolve(name);
            Files.createDirectories(path.getParent());
            Files.writeString(path, text);
            Path current = files;
            for (Path part : files.relativize(path)) {
                current = current.resolve(part);
                Files.setPosixFilePermissions(
                        current,
                        PosixFilePermissions.fromString(Files.isDirectory(current) ? "rwxr-xr-x" : "rw-r--r--"));
            }
            return path;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Creates a directory that belongs to the engine's user. */
    public Path directory(String name) {
        Path path = files.resolve(name);
        try {
            Files.setPosixFilePermissions(
                    Objects.requireNonNull(path.getParent()), PosixFilePermissions.fromString("rwxrwxrwx"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        run("unshare", "mkdir", path.toString());
        return path;
    }

    /** Copies a directory of files. */
    public Path copy(Path directory) {
        try (Stream<Path> sources = Files.list(directory)) {
            for (Path source : sources.toList()) {
                file(directory.getFileName() + "/" + source.getFileName(), Files.readString(source));
            }
            return files.resolve(directory.getFileName());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Creates an image that contains only these files.
     *
     * @param content by the path in the image: a file of this machine, {@code -> target} for a symbolic link, or nothing for a
     *     world-writable directory
     * @param changes as in a Containerfile, such as {@code ENTRYPOINT ["/program"]}
     */
    public void createImage(String name, Map<String, String> content, String... changes) {
        Path tree = files.resolve("tree");
        Path archive = files.resolve("tree.tar");
        try {
            for (Map.Entry<String, String> each : content.entrySet()) {
                Path target = tree.resolve(each.getKey());
                Files.createDirectories(Objects.requireNonNull(target.getParent()));
                if (each.getValue().startsWith("-> ")) {
                    Files.createSymbolicLink(target, Path.of(each.getValue().substring("-> ".length())));
                } else if (each.getValue().isEmpty()) {
                    Files.createDirectories(target);
                    Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxrwxrwx"));
                } else {
                    Files.copy(Path.of(each.getValue()).toRealPath(), target);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        CommandResult.of(
                        List.of("tar", "-C", tree.toString(), "-cf", archive.toString(), "--owner=0", "--group=0", "."))
                .outputOrFail();
        CommandResult.of(List.of("chmod", "644", archive.toString())).outputOrFail();
        List<String> command = new ArrayList<>(List.of("import", "--quiet"));
        for (String change : changes) {
            command.addAll(List.of("--change", change));
        }
        command.addAll(List.of(archive.toString(), name));
        run(command.toArray(String[]::new));
        CommandResult.of(List.of("rm", "-rf", tree.toString(), archive.toString()))
                .outputOrFail();
    }

    /** Returns the network namespace of a running container. */
    public LabNamespace network(String container) {
        String name = "container-" + container;
        CommandResult.of(List.of("ip", "netns", "delete", name));
        CommandResult.of(List.of("ip", "netns", "attach", name, inspect(container, ".State.Pid")))
                .outputOrFail();
        attached.add(name);
        return new LabNamespace(name);
    }

    /** Returns a value of {@code podman inspect}, such as {@code .State.ExitCode}. */
    public String inspect(String container, String field) {
        return run("inspect", "--format", "{{" + field + "}}", container).strip();
    }

    /** Runs the container's health check, which Podman does not run periodically without systemd. */
    public boolean isHealthy(String container) {
        return attempt("healthcheck", "run", container).status() == 0;
    }

    /** Waits until the container has logged a line that contains a match of the expression, during one run. */
    public void awaitLine(String container, String expression, Duration timeout) {
        try (RunningProgram log = RunningProgram.start(
                "container " + container,
                inNode(Map.of(), List.of(program("podman"), "logs", "--follow", container)))) {
            log.awaitLine(expression, timeout);
        }
    }

    /** Waits until it has logged this many such lines, in all its runs. */
    public void awaitLines(String container, String expression, int count, Duration timeout) {
        // 'podman logs --follow' ends with the run. Each line is preceded by its time, its stream and a letter.
        String follow = "tail -n +1 -F \"$1\" | sed -u 's/^[^ ]* [^ ]* [^ ]* //'";
        try (RunningProgram log = RunningProgram.start(
                "the log of " + container,
                List.of("sh", "-c", follow, "log", inspect(container, ".HostConfig.LogConfig.Path")))) {
            log.awaitLines(expression, count, timeout);
        }
    }

    /** Returns the log of the container. */
    public String log(String container) {
        CommandResult log = attempt("logs", container);
        return log.out() + log.err();
    }

    /** Waits until the container has ended and returns its exit status. */
    public int awaitExit(String container) {
        return Integer.parseInt(run("wait", container).strip());
    }

    private void removeAll() {
        attempt("pod", "rm", "--all", "--force", "--time", "1");
        attempt("rm", "--all", "--force", "--time", "1", "--volumes");
        attempt("volume", "prune", "--force");
        attempt("network", "prune", "--force");
        attempt("secret", "rm", "--all");
    }

    @Override
    public void close() {
        removeAll();
        service.close();
        attached.forEach(name -> CommandResult.of(List.of("ip", "netns", "delete", name)));
        // Some belong to the engine's user or to users of containers.
        CommandResult.of(List.of("rm", "-rf", files.toString()));
        try {
            Files.deleteIfExists(SOCKET);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
