// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The files of a proxy server: its configuration, its pid file, and a directory for files that its processes share.
 *
 * @param directory such as {@code /run/culvert}
 * @param name of the program, as in {@code sockd.conf}
 */
record ProxyFiles(Path directory, String name) {

    private static final int STOP_TIMEOUT_SECONDS = 3;

    Path configuration() {
        return directory.resolve(name + ".conf");
    }

    Path pidFile() {
        return directory.resolve(name + ".pid");
    }

    Path temporary() {
        return directory.resolve(name);
    }

    /** Determines the user that can access the files that a configuration names. */
    interface UserAccess {
        ProxyUser grant(ProxyUser user) throws IOException;
    }

    /**
     * Ends the server of a run that was killed, and writes the files.
     *
     * @return the user that can access them
     * @throws ProblemException if a file cannot be written
     */
    ProxyUser write(String text, ProxyUser preferred, UserAccess access) {
        stopLeftover();
        try {
            Files.createDirectories(directory);
            // The configuration may contain a password: at no time may others read it.
            Files.deleteIfExists(configuration());
            Files.createFile(
                    configuration(),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(configuration(), text);
            Files.writeString(pidFile(), "");
            ProxyUser user = access.grant(preferred);
            user.allowTraversal(directory);
            user.share(configuration(), "rw-r-----");
            user.share(pidFile(), "rw-rw----");
            user.share(Files.createDirectories(temporary()), "rwxrwx---");
            return user;
        } catch (IOException e) {
            throw new ProblemException(Problem.machine(
                    Location.file(configuration()),
                    "cannot be written: " + e.getMessage(),
                    Hints.here().makeWritable(directory.toString())));
        }
    }

    /** Ends the server of a run that was killed: it would occupy the port and use the old configuration. */
    private void stopLeftover() {
        findLeftover()
                .filter(leftover -> leftover.info()
                        .arguments()
                        .filter(words ->
                                Arrays.asList(words).contains(configuration().toString()))
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

    private Optional<ProcessHandle> findLeftover() {
        try {
            return ProcessHandle.of(Long.parseLong(Files.readString(pidFile()).strip()));
        } catch (IOException | NumberFormatException _) {
            return Optional.empty();
        }
    }
}
