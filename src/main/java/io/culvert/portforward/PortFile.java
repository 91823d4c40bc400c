// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.OptionalInt;

/** The file with the number of the forwarded port and a line end, which other programs read; it is missing without a port. */
public final class PortFile {

    private PortFile() {}

    /** Writes or removes the file; its readers see one number or none. */
    public static void write(Path file, OptionalInt port) throws IOException {
        if (port.isEmpty()) {
            Files.deleteIfExists(file);
            return;
        }
        Path written = file.resolveSibling("." + file.getFileName() + ".new");
        try {
            Files.createDirectories(written.toAbsolutePath().getParent());
            Files.writeString(written, port.getAsInt() + "\n");
            // Independent of the umask: the port is no secret, and its readers are other users.
            Files.setPosixFilePermissions(written, PosixFilePermissions.fromString("rw-r--r--"));
            Files.move(written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(written);
        }
    }
}
