// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.wireguard.config.SecretKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Writes files that contain secrets: readable by their owner only (mode 0600) from the start, and never incomplete. */
final class PrivateFile {

    private PrivateFile() {}

    /** Writes a file, replacing an existing one. */
    static void write(Path file, byte[] content) {
        Path absolute = file.toAbsolutePath();
        try {
            Files.createDirectories(absolute.getParent());
            Path temporary = absolute.resolveSibling("." + absolute.getFileName() + ".new");
            Files.deleteIfExists(temporary);
            create(temporary, content);
            Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw writeFailure(file, e);
        }
    }

    /** Writes a key to a file that must not exist yet, in the form of {@code wg genkey}. */
    static void writeNew(Path file, SecretKey key) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            create(file, (key.base64() + "\n").getBytes(StandardCharsets.US_ASCII));
        } catch (FileAlreadyExistsException _) {
            throw new ProblemException(Problem.input(
                    Location.file(file),
                    "the file already exists",
                    "use another file, or remove it if it is not needed"));
        } catch (IOException e) {
            throw writeFailure(file, e);
        }
    }

    private static void create(Path file, byte[] content) throws IOException {
        try (SeekableByteChannel channel = Files.newByteChannel(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            ByteBuffer remaining = ByteBuffer.wrap(content);
            while (remaining.hasRemaining()) {
                channel.write(remaining);
            }
        }
    }

    private static ProblemException writeFailure(Path file, IOException e) {
        return new ProblemException(Problem.failure(
                Location.file(file),
                "cannot write the file: " + e.getMessage(),
                "use a directory that you can write to"));
    }
}
