// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.PasswordHash;
import io.culvert.settings.Login;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The container's {@code /etc/shadow} (shadow(5)), the only source of passwords that Dante supports without PAM. A
 * user that exists only there, and not in {@code /etc/passwd}, cannot log in to anything else.
 */
final class ShadowFile {

    /** A number in the ninth field, which is reserved and unused, identifies Culvert's line. */
    private static final String OUR_SUFFIX = ":51820";

    private final Path path;

    ShadowFile(Path path) {
        this.path = path;
    }

    /** Adds the user, and removes users that were added before. */
    void addUser(Login login) {
        try {
            String others = withoutOurLines();
            if (others.lines().anyMatch(line -> line.startsWith(login.user() + ":"))) {
                throw new ProblemException(Problem.input(
                        Location.setting("CULVERT_SOCKS_USER"),
                        "'" + login.user() + "' already exists as a user of this system",
                        "choose another name"));
            }
            write(others + login.user() + ":"
                    + PasswordHash.sha512(login.password().text()) + "::::::" + OUR_SUFFIX + "\n");
        } catch (IOException e) {
            throw new ProblemException(Problem.machine(
                    Location.file(path),
                    "cannot be written, but Dante reads the proxy's password from it: " + e.getMessage(),
                    "run as root with a writable " + path
                            + ", or unset CULVERT_SOCKS_USER and restrict clients by CULVERT_SOCKS_ALLOW"));
        }
    }

    /** Returns a user that can read the file; if it has only Culvert's lines, it is shared with the given user. */
    ProxyUser makeReadable(ProxyUser user) throws IOException {
        if (Files.exists(path) && withoutOurLines().isEmpty()) {
            user.share(path, "rw-r-----");
        }
        return user.withReadAccess(path);
    }

    /** Removes Culvert's line. */
    Optional<Problem> removeUser() {
        try {
            if (Files.exists(path)) {
                write(withoutOurLines());
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(Problem.warning(
                    Location.file(path), "the proxy's user could not be removed: " + e.getMessage(), ""));
        }
    }

    /**
     * In Culvert's image it is a symbolic link to a path that is writable even in a read-only container, dangling at
     * first.
     */
    private Path target() throws IOException {
        return Files.isSymbolicLink(path) ? path.resolveSibling(Files.readSymbolicLink(path)) : path;
    }

    private String withoutOurLines() throws IOException {
        if (!Files.exists(path)) {
            return "";
        }
        return Files.readString(path, StandardCharsets.ISO_8859_1)
                .lines()
                .filter(line -> !line.endsWith(OUR_SUFFIX))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
    }

    /** Writes in place: the file may be a mount, and keeps its owner and mode. */
    private void write(String text) throws IOException {
        if (!Files.exists(path)) {
            Files.createFile(
                    target(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        }
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
        // Overwrites and then truncates, so that a reader, or a SIGKILL, never finds an empty file.
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
            file.truncate(bytes.limit());
        }
    }
}
