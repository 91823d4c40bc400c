// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Capabilities;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Prepares what Dante, the SOCKS server, needs to run: its program, its configuration and its user. */
public final class Dante {

    /** The paths of the program: Debian's name, then the author's. */
    private static final List<String> PROGRAMS = List.of("usr/sbin/danted", "usr/sbin/sockd", "usr/bin/sockd");

    /** Part of {@code Dante/server[1/1] v1.4.2 running}, logged once all sockets listen. */
    private static final String READY = " running";

    /** Within the 65536 ids of an unprivileged container, and unused in common distributions. */
    private static final int USER = 51820;

    private final Path root;
    private final InstalledProgram program;
    private final ProxyFiles files;
    private final ShadowFile shadow;

    /**
     * Does not change anything yet.
     *
     * @param root the root directory of the container
     * @param directory for the configuration and the pid file, such as {@code /run/culvert}
     */
    public Dante(Path root, Path directory) {
        this.root = root;
        this.program = new InstalledProgram(root, "SOCKS", "Dante", PROGRAMS, "dante-server", "CULVERT_SOCKS");
        this.files = new ProxyFiles(directory, "sockd");
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
        Path path = program.path();
        settings.login().ifPresent(shadow::addUser);
        return write(
                path,
                configuration(settings),
                settings.port(),
                true,
                user -> settings.login().isPresent() ? shadow.makeReadable(user) : user);
    }

    /** Uses the user's own configuration. */
    public ProxyProgram prepare(SockdFile userFile) {
        return write(program.path(), userFile.text(), userFile.port(), userFile.logsToStandardOutput(), user -> {
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
            Path path, String configuration, int port, boolean logsToStandardOutput, ProxyFiles.UserAccess access) {
        ProxyUser user = files.write(configuration, ProxyUser.of(path, USER), access);
        return new ProxyProgram(
                path,
                List.of(
                        "-f",
                        files.configuration().toString(),
                        "-p",
                        files.pidFile().toString()),
                files.configuration(),
                port,
                logsToStandardOutput ? Optional.of(READY) : Optional.empty(),
                user.privileges(Capabilities.requiredToListenOn(port)),
                files.temporary());
    }

    /** Returns the unmet requirement that Dante is installed. */
    public Optional<Problem> missingProgram() {
        return program.missing();
    }
}
