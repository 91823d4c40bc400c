// SPDX-License-Identifier: Apache-2.0
package io.culvert.mesh;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.wireguard.config.SecretKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;

/** Reads a mesh node's key files, and reports what is wrong with them. */
final class KeyFile {

    private static final Set<PosixFilePermission> OTHERS =
            Set.of(PosixFilePermission.GROUP_READ, PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE);

    private KeyFile() {}

    /**
     * Reads the key.
     *
     * @param description the key's description for messages, such as {@code the private key of 'laptop'}
     * @param problems receives errors, and a warning if other users can read the file
     */
    static Optional<SecretKey> read(Path file, String description, Problems problems) {
        try {
            SecretKey key = SecretKey.read(file);
            if (Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)) {
                problems.add(Problem.warning(
                        Location.file(file),
                        description + " is readable by users other than its owner",
                        "restrict its permissions: chmod 600 " + file));
            }
            return Optional.of(key);
        } catch (IOException e) {
            problems.add(Problem.input(
                    Location.file(file),
                    description + " cannot be read" + (Files.exists(file) ? ": " + e.getMessage() : ": file not found"),
                    "create it with 'culvert mesh keygen', or correct the path in the network file"));
        } catch (IllegalArgumentException e) {
            problems.add(Problem.input(
                    Location.file(file),
                    description + " is not valid: " + e.getMessage(),
                    "move the file away, then generate a key: culvert mesh keygen "
                            + (description.contains("preshared") ? "--preshared " : "") + file));
        }
        return Optional.empty();
    }
}
