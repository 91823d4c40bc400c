package io.culvert.proxy;

import io.culvert.linux.PasswordHash;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
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
 * The container's {@code /etc/shadow} (shadow(5)), which is the only place where Dante looks a password up without PAM. A
 * user who stands there alone, and not in {@code /etc/passwd}, can log in to nothing else.
 */
final class ShadowFile {

    /** The ninth field is reserved and read by nobody: a number in it tells our line from all others. */
    private static final String OURS = ":51820";

    private final Path path;

    ShadowFile(Path path) {
        this.path = path;
    }

    /** Lets the user in, and nobody else whom we let in before. */
    void grant(Login login) {
        try {
            String others = withoutOurs();
            if (others.lines().anyMatch(line -> line.startsWith(login.user() + ":"))) {
                throw new ProblemException(Problem.input(
                        Place.setting("CULVERT_SOCKS_USER"),
                        "'" + login.user() + "' is a user of this system already",
                        "choose another name"));
            }
            write(others + login.user() + ":" + PasswordHash.sha512(login.password()) + "::::::" + OURS + "\n");
        } catch (IOException e) {
            throw new ProblemException(Problem.machine(
                    Place.file(path),
                    "cannot be written, and Dante looks for the proxy's password there: " + e.getMessage(),
                    "run as root with a writable " + path
                            + ", or unset CULVERT_SOCKS_USER and limit the clients by CULVERT_SOCKS_ALLOW"));
        }
    }

    /** The one who can read it: where it is ours alone it is opened to this one, and to nobody else. */
    ProxyUser open(ProxyUser user) throws IOException {
        if (Files.exists(path) && withoutOurs().isEmpty()) {
            user.share(path, "rw-r-----");
        }
        return user.reading(path);
    }

    /** Takes our line out again. */
    Optional<Problem> revoke() {
        try {
            if (Files.exists(path)) {
                write(withoutOurs());
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(
                    Problem.warning(Place.file(path), "the proxy's user could not be removed: " + e.getMessage(), ""));
        }
    }

    /** In Culvert's image it is a link to where even a read-only container can write, and leads nowhere at first. */
    private Path target() throws IOException {
        return Files.isSymbolicLink(path) ? path.resolveSibling(Files.readSymbolicLink(path)) : path;
    }

    private String withoutOurs() throws IOException {
        if (!Files.exists(path)) {
            return "";
        }
        return Files.readString(path, StandardCharsets.ISO_8859_1)
                .lines()
                .filter(line -> !line.endsWith(OURS))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
    }

    /** In place: the file may be a mount of its own, and keeps its owner and mode. */
    private void write(String text) throws IOException {
        if (!Files.exists(path)) {
            Files.createFile(
                    target(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        }
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
        // Overwritten and cut, not emptied and filled: a reader, or a SIGKILL, never meets an empty file.
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
            file.truncate(bytes.limit());
        }
    }
}
