package io.culvert.proxy;

import io.culvert.linux.Capabilities;
import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Prepares what Dante, the SOCKS server, needs to run: its program, its configuration and its user. */
public final class Dante {

    /** The paths of the program: Debian's name, then the author's. */
    private static final List<String> PROGRAMS = List.of("usr/sbin/danted", "usr/sbin/sockd", "usr/bin/sockd");

    /** Part of {@code Dante/server[1/1] v1.4.2 running}, logged once all sockets listen. */
    private static final String READY = " running";

    private static final int GRACE_SECONDS = 3;

    private final Path root;
    private final Path directory;
    private final ShadowFile shadow;

    /**
     * Does not change anything yet.
     *
     * @param root the root directory of the container
     * @param directory for the configuration and the pid file, such as {@code /run/culvert}
     */
    public Dante(Path root, Path directory) {
        this.root = root;
        this.directory = directory;
        this.shadow = new ShadowFile(root.resolve("etc/shadow"));
    }

    /** Returns the configuration that {@link #prepare(DanteSettings)} writes; it contains no secret. */
    public static String configuration(DanteSettings settings) {
        return SockdTemplate.fill(settings);
    }

    /**
     * Writes the configuration and, if a login is configured, its user.
     *
     * @throws ProblemException if the program is missing or a file cannot be written
     */
    public ProxyProgram prepare(DanteSettings settings) {
        Path program = program();
        settings.login().ifPresent(shadow::grant);
        return write(
                program,
                configuration(settings),
                settings.port(),
                true,
                user -> settings.login().isPresent() ? shadow.open(user) : user);
    }

    /** Uses the user's own configuration. */
    public ProxyProgram prepare(SockdFile own) {
        return write(program(), own.text(), own.port(), own.logsToUs(), user -> {
            ProxyUser able = own.checksPasswords() ? shadow.open(user) : user;
            for (Path log : own.logs()) {
                able = able.writing(root.resolve(Path.of("/").relativize(log)));
            }
            for (Path log : own.logs()) {
                make(root.resolve(Path.of("/").relativize(log)), able);
            }
            return able;
        });
    }

    /** Determines the user that can access the files that a configuration names. */
    private interface Needs {
        ProxyUser of(ProxyUser user) throws IOException;
    }

    /** Creates a log file, as Dante's user may not create files in its directory. */
    private static void make(Path log, ProxyUser user) throws IOException {
        if (!Files.exists(log) && log.getParent() != null && Files.isDirectory(log.getParent())) {
            Files.createFile(log);
            user.share(log, "rw-rw----");
        }
    }

    /** Undoes the changes of system files. */
    public Optional<Problem> forget(DanteSettings settings) {
        return settings.login().isPresent() ? shadow.revoke() : Optional.empty();
    }

    private ProxyProgram write(Path program, String configuration, int port, boolean logsToUs, Needs needs) {
        Path file = directory.resolve("sockd.conf");
        Path process = directory.resolve("sockd.pid");
        endLeftBehind(process, file);
        try {
            Files.createDirectories(directory);
            Files.writeString(file, configuration);
            Files.writeString(process, "");
            ProxyUser user = needs.of(ProxyUser.of(program));
            user.pass(directory);
            user.share(file, "rw-r-----");
            user.share(process, "rw-rw----");
            Path temporary = Files.createDirectories(directory.resolve("sockd"));
            user.share(temporary, "rwxrwx---");
            return new ProxyProgram(
                    program,
                    List.of("-f", file.toString(), "-p", process.toString()),
                    file,
                    port,
                    logsToUs ? Optional.of(READY) : Optional.empty(),
                    user.privileges(Capabilities.toListenOn(port)),
                    temporary);
        } catch (IOException e) {
            throw new ProblemException(Problem.machine(
                    Place.file(file),
                    "cannot be written: " + e.getMessage(),
                    Hints.here().writable(directory.toString())));
        }
    }

    /** Ends the Dante of a run that was killed: it would occupy the port and use the old configuration. */
    private static void endLeftBehind(Path process, Path configuration) {
        leftBehind(process)
                .filter(left -> left.info()
                        .arguments()
                        .filter(words -> Arrays.asList(words).contains(configuration.toString()))
                        .isPresent())
                .ifPresent(left -> {
                    CompletableFuture<ProcessHandle> end = left.onExit();
                    left.destroy();
                    try {
                        end.get(GRACE_SECONDS, TimeUnit.SECONDS);
                    } catch (ExecutionException | TimeoutException _) {
                        left.descendants().forEach(ProcessHandle::destroyForcibly);
                        left.destroyForcibly();
                    } catch (InterruptedException _) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    private static Optional<ProcessHandle> leftBehind(Path process) {
        try {
            return ProcessHandle.of(Long.parseLong(Files.readString(process).strip()));
        } catch (IOException | NumberFormatException _) {
            return Optional.empty();
        }
    }

    private Path program() {
        return PROGRAMS.stream()
                .map(root::resolve)
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new ProblemException(Problem.machine(
                        Place.machine("SOCKS"),
                        "Dante is not installed: none of /" + String.join(", /", PROGRAMS) + " exists",
                        "install it (Debian: dante-server), or unset CULVERT_SOCKS")));
    }
}
