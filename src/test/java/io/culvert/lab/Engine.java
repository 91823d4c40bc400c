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
 * Rootless Podman on the lab's node. What its containers send leaves by the node's uplink, with the node's address, past the
 * observer; their published ports are the node's. One at a time: the socket of its service has a fixed place.
 */
public final class Engine implements AutoCloseable {

    /** As in the environment variable DOCKER_HOST, by which Testcontainers finds it. */
    private static final Path SOCKET = Path.of("/run/engine/podman.sock");

    private static final Duration START = Duration.ofSeconds(30);

    private final Lab lab;
    private final Path files;
    private final Child service;
    private final List<String> attached = new ArrayList<>();

    private Engine(Lab lab) {
        this.lab = lab;
        try {
            files = Files.createTempDirectory("culvert-engine");
            Files.setPosixFilePermissions(files, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        file("resolv.conf", "nameserver " + Lab.ROUTER_4 + "\n");
        prepare();
        // What an earlier class or a stopped run may have left, whose addresses and names would be taken.
        sweep();
        service = serve();
    }

    /** Here, as the first command decides which resolver all later ones have. */
    private void prepare() {
        Outcome prepared = Outcome.of(inNode(
                Map.of(),
                List.of(Path.of("scripts/rootless-podman").toAbsolutePath().toString())));
        if (prepared.status() != 0) {
            throw new TestAbortedException(prepared.err().strip());
        }
    }

    private Child serve() {
        Path directory = Objects.requireNonNull(SOCKET.getParent());
        try (WatchService watch = directory.getFileSystem().newWatchService()) {
            Files.createDirectories(directory);
            Files.deleteIfExists(SOCKET);
            // The engine's user makes the socket.
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
            directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            Child started = Child.start(
                    "podman service", inNode(Map.of(), List.of(program("podman-service"), SOCKET.toString())));
            if (watch.poll(Patience.of(START).toSeconds(), TimeUnit.SECONDS) == null) {
                started.close();
                throw new AssertionError("podman's service does not listen. It said:\n" + started.output());
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
     * Rootless Podman, ready on the lab's node.
     *
     * @throws TestAbortedException with the reason where there can be none
     */
    public static Engine on(Lab lab) {
        return new Engine(lab);
    }

    private static String program(String name) {
        return Path.of(".cache/bin", name).toAbsolutePath().toString();
    }

    /** Runs {@code podman} to its end; it must succeed. */
    public String run(String... arguments) {
        return attempt(arguments).orFail();
    }

    /** Runs {@code podman} to its end. */
    public Outcome attempt(String... arguments) {
        List<String> command = new ArrayList<>(List.of(program("podman")));
        command.addAll(List.of(arguments));
        return Outcome.of(inNode(Map.of(), command));
    }

    /** Runs {@code podman-compose} on the files of a directory to its end. */
    public Outcome compose(Path directory, Map<String, String> environment, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                "sh",
                "-c",
                "cd \"$1\" && shift && exec \"$@\"",
                "compose",
                directory.toString(),
                program("podman-compose")));
        command.addAll(List.of("--podman-path", program("podman")));
        command.addAll(List.of(arguments));
        return Outcome.of(inNode(environment, command));
    }

    /** The node has its own resolver, and no bus or session of the machine's. */
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
        return lab.node().space().inside(all);
    }

    /** A file that every user, so the engine's too, can read. */
    public Path file(String name, String text) {
        try {
            Path path = files.resolve(name);
            Files.createDirectories(path.getParent());
            Files.writeString(path, text);
            Path at = files;
            for (Path part : files.relativize(path)) {
                at = at.resolve(part);
                Files.setPosixFilePermissions(
                        at, PosixFilePermissions.fromString(Files.isDirectory(at) ? "rwxr-xr-x" : "rw-r--r--"));
            }
            return path;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A directory that belongs to the engine's user, as what he makes himself does. */
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

    /** A directory with copies of all files of the other one. */
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
     * An image of nothing but these files.
     *
     * @param content by the path in the image: a file of this machine, {@code -> target} for a symbolic link, or nothing for a
     *     directory that everybody may write to
     * @param changes as in a Containerfile, such as {@code ENTRYPOINT ["/program"]}
     */
    public void image(String name, Map<String, String> content, String... changes) {
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
        Outcome.of(List.of("tar", "-C", tree.toString(), "-cf", archive.toString(), "--owner=0", "--group=0", "."))
                .orFail();
        Outcome.of(List.of("chmod", "644", archive.toString())).orFail();
        List<String> command = new ArrayList<>(List.of("import", "--quiet"));
        for (String change : changes) {
            command.addAll(List.of("--change", change));
        }
        command.addAll(List.of(archive.toString(), name));
        run(command.toArray(String[]::new));
        Outcome.of(List.of("rm", "-rf", tree.toString(), archive.toString())).orFail();
    }

    /** The network of a container that runs, to look at it and to ask from inside. */
    public Namespace network(String container) {
        String name = "container-" + container;
        Outcome.of(List.of("ip", "netns", "delete", name));
        Outcome.of(List.of("ip", "netns", "attach", name, inspect(container, ".State.Pid")))
                .orFail();
        attached.add(name);
        return new Namespace(name);
    }

    /** One value of what Podman knows of a container, such as {@code .State.ExitCode}. */
    public String inspect(String container, String what) {
        return run("inspect", "--format", "{{" + what + "}}", container).strip();
    }

    /** What the container's health check says when it is run now; without systemd nobody runs it by the clock. */
    public boolean isHealthy(String container) {
        return attempt("healthcheck", "run", container).status() == 0;
    }

    /** Waits until the container has said a line in which the expression is found, in a run that lasts until then. */
    public void awaitLine(String container, String expression, Duration deadline) {
        try (Child log = Child.start(
                "container " + container,
                inNode(Map.of(), List.of(program("podman"), "logs", "--follow", container)))) {
            log.awaitLine(expression, deadline);
        }
    }

    /** Waits until it has said so many such lines, over all its runs. */
    public void awaitLines(String container, String expression, int count, Duration deadline) {
        // Podman's own way to follow a log ends with the run. Each line is behind its time, its stream and a letter.
        String follow = "tail -n +1 -F \"$1\" | sed -u 's/^[^ ]* [^ ]* [^ ]* //'";
        try (Child log = Child.start(
                "the log of " + container,
                List.of("sh", "-c", follow, "log", inspect(container, ".HostConfig.LogConfig.Path")))) {
            log.awaitLines(expression, count, deadline);
        }
    }

    /** All that the container has said so far. */
    public String log(String container) {
        Outcome log = attempt("logs", container);
        return log.out() + log.err();
    }

    /** Waits until the container has ended; its exit status. */
    public int awaitExit(String container) {
        return Integer.parseInt(run("wait", container).strip());
    }

    private void sweep() {
        attempt("pod", "rm", "--all", "--force", "--time", "1");
        attempt("rm", "--all", "--force", "--time", "1", "--volumes");
        attempt("volume", "prune", "--force");
        attempt("network", "prune", "--force");
        attempt("secret", "rm", "--all");
    }

    @Override
    public void close() {
        sweep();
        service.close();
        attached.forEach(name -> Outcome.of(List.of("ip", "netns", "delete", name)));
        // Some were written by the engine's user, or by containers.
        Outcome.of(List.of("rm", "-rf", files.toString()));
        try {
            Files.deleteIfExists(SOCKET);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
