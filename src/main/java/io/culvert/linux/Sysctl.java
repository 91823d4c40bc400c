package io.culvert.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Kernel parameters. Names are written with slashes ({@code net/ipv4/ip_forward}), as interface names may hold dots. Those
 * under {@code net} are of the calling thread's network namespace.
 *
 * @param root usually {@code /proc/sys}
 */
public record Sysctl(Path root) {

    /** What became of a write. */
    public enum Written {
        DONE,
        /** The kernel has no such parameter. */
        ABSENT,
        /** {@code /proc/sys} is mounted read-only, as in most containers. */
        READ_ONLY,
        /** This process may not. */
        DENIED,
        /** The kernel does not take the value. */
        REFUSED
    }

    /** The value, without the line's end; empty where the kernel has no such parameter or does not let us look. */
    public Optional<String> read(String name) {
        try {
            return Optional.of(Files.readString(root.resolve(name)).strip());
        } catch (IOException _) {
            // Not there, or not for us. An interface that goes away while we look answers with an I/O error.
            return Optional.empty();
        }
    }

    /** Whether the parameter exists and a write would be let through; writes nothing. */
    public boolean writable(String name) {
        try (Descriptor _ = Descriptor.open(root.resolve(name), Descriptor.Access.WRITE)) {
            return true;
        } catch (SystemCallException _) {
            return false;
        }
    }

    public Written write(String name, String value) {
        try (Descriptor file = Descriptor.open(root.resolve(name), Descriptor.Access.WRITE)) {
            file.write((value + "\n").getBytes(StandardCharsets.US_ASCII));
            return Written.DONE;
        } catch (SystemCallException e) {
            return switch (e.errno()) {
                case Errno.ENOENT -> Written.ABSENT;
                case Errno.EROFS -> Written.READ_ONLY;
                case Errno.EACCES, Errno.EPERM -> Written.DENIED;
                default -> Written.REFUSED;
            };
        }
    }
}
