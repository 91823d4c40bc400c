// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Reads and writes kernel parameters. Names have slashes ({@code net/ipv4/ip_forward}), as interface names may contain
 * dots. Those under {@code net} belong to the calling thread's network namespace.
 *
 * @param root usually {@code /proc/sys}
 */
public record Sysctl(Path root) {

    /** The result of a write. */
    public enum WriteResult {
        DONE,
        /** The kernel has no such parameter. */
        ABSENT,
        /** {@code /proc/sys} is mounted read-only, as in most containers. */
        READ_ONLY,
        /** This process lacks permission. */
        DENIED,
        /** The kernel rejected the value. */
        REFUSED
    }

    /** Returns the value without its newline; empty if the parameter does not exist or cannot be read. */
    public Optional<String> read(String name) {
        try {
            return Optional.of(Files.readString(root.resolve(name)).strip());
        } catch (IOException _) {
            // Missing, or not permitted. An interface that disappears during the read causes an I/O error.
            return Optional.empty();
        }
    }

    /** Returns whether the parameter exists and can be written, without writing it. */
    public boolean isWritable(String name) {
        try (Descriptor _ = Descriptor.open(root.resolve(name), Descriptor.Access.WRITE)) {
            return true;
        } catch (SystemCallException _) {
            return false;
        }
    }

    public WriteResult write(String name, String value) {
        try (Descriptor file = Descriptor.open(root.resolve(name), Descriptor.Access.WRITE)) {
            file.write((value + "\n").getBytes(StandardCharsets.US_ASCII));
            return WriteResult.DONE;
        } catch (SystemCallException e) {
            return switch (e.errno()) {
                case Errno.ENOENT -> WriteResult.ABSENT;
                case Errno.EROFS -> WriteResult.READ_ONLY;
                case Errno.EACCES, Errno.EPERM -> WriteResult.DENIED;
                default -> WriteResult.REFUSED;
            };
        }
    }
}
