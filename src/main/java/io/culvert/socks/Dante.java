// SPDX-License-Identifier: Apache-2.0
package io.culvert.socks;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Capabilities;
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

    private static final int STOP_TIMEOUT_SECONDS = 3;

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
        return SockdTemplate.render(settings);
    }

    /**
     * Writes the configuration and, if a login is configured, its user.
     *
     * @throws ProblemException if the program is missing or a file cannot be written
     */
    public ProxyProgram prepare(DanteSettings settings) {
        Path program = program();
        settings.login().ifPresent(shadow::addUser);
        return write(
                program,
                configuration(settings),
                settings.port(),
                true,
                user -> settings.login().isPresent() ? shadow.makeReadable(user) : user);
    }

    /** Uses the user's own configuration. */
    public ProxyProgram prepare(SockdFile userFile) {
        return write(program(), userFile.text(), userFile.port(), userFile.logsToStandardOutput(), user -> {
            ProxyUser permitted = userFile.checksPasswords() ? shadow.makeReadable(user) : user;
            for (Path log : userFile.logs()) {
                permitted = permitted.withWriteAccess(root.resolve(Path.of("/").relativize(log)));
            }
            for (Path log : userFile.logs()) {
                createLog(root.resolve(Path.of("/").relativize(log)), permitted);
            }
            return permitted;
        });
    }

    /** Determines the user that can access the files that a configuration names. */
    private interface UserAccess {
        ProxyUser grant(ProxyUser user) throws IOException;
    }

    /** Creates a log file, as Dante's user may not create files in its directory. */
    private static void createLog(Path log, ProxyUser user) throws IOException {
        if (!Files.exists(log) && log.getParent() != null && Files.isDirectory(log.getParent())) {
            Files.createFile(log);
            user.share(log, "rw-rw----");
        }
    }

    /** Undoes the changes of system files. */
    public Optional<Problem> cleanUp(DanteSettings settings) {
        return settings.login().isPresent() ? shadow.removeUser() : Optional.empty();
    }

    private ProxyProgram write(
            Path program, String configuration, int port, boolean logsToStandardOutput, UserAccess access) {
        Path file = directory.resolve("sockd.conf");
        Path pidFile = directory.resolve("sockd.pid");
        stopLeftover(pidFile, file);
        try {
            Files.createDirectories(directory);
            Files.writeString(file, configuration);
            Files.writeString(pidFile, "");
            ProxyUser user = access.grant(ProxyUser.of(program));
            user.allowTraversal(directory);
            user.share(file, "rw-r-----");
            user.share(pidFile, "rw-rw----");
            Path temporary = Files.createDirectories(directory.resolve("sockd"));
            user.share(temporary, "rwxrwx---");
            return new ProxyProgram(
                    program,
                    List.of("-f", file.toString(), "-p", pidFile.toString()),
                    file,
                    port,
                    logsToStandardOutput ? Optional.of(READY) : Optional.empty(),
                    user.privileges(Capabilities.requiredToListenOn(port)),
                    temporary);
        } catch (IOException e) {
            throw new ProblemException(Problem.machine(
                    Location.file(file),
                    "cannot be written: " + e.getMessage(),
                    Hints.here().makeWritable(directory.toString())));
        }
    }

    /** Ends the Dante of a run that was killed: it would occupy the port and use the old configuration. */
    private static void stopLeftover(Path pidFile, Path configuration) {
        findLeftover(pidFile)
                .filter(leftover -> leftover.info()
                        .arguments()
                        .filter(words -> Arrays.asList(words).contains(configuration.toString()))
                        .isPresent())
                .ifPresent(leftover -> {
                    CompletableFuture<ProcessHandle> end = leftover.onExit();
                    leftover.destroy();
                    try {
                        end.get(STOP_TIMEOUT_SECONDS, TimeUnit.SECONDS);
                    } catch (ExecutionException | TimeoutException _) {
                        leftover.descendants().forEach(ProcessHandle::destroyForcibly);
                        leftover.destroyForcibly();
                    } catch (InterruptedException _) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    private static Optional<ProcessHandle> findLeftover(Path pidFile) {
        try {
            return ProcessHandle.of(Long.parseLong(Files.readString(pidFile).strip()));
        } catch (IOException | NumberFormatException _) {
            return Optional.empty();
        }
    }

    /** Returns the unmet requirement that Dante is installed. */
    public Optional<Problem> missingProgram() {
        return findProgram().isPresent() ? Optional.empty() : Optional.of(notInstalled());
    }

    private Path program() {
        return findProgram().orElseThrow(() -> new ProblemException(notInstalled()));
    }

    private Optional<Path> findProgram() {
        return PROGRAMS.stream().map(root::resolve).filter(Files::isExecutable).findFirst();
    }

    private static Problem notInstalled() {
        return Problem.machine(
                Location.machine("SOCKS"),
                "Dante is not installed: none of /" + String.join(", /", PROGRAMS) + " exists",
                "install it (Debian: dante-server), or unset CULVERT_SOCKS");
    }
}
