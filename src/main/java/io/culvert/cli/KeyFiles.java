// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.wireguard.config.SecretKey;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the key files that a network file names, as far as they are on this machine. Each file is read, and its problem
 * reported, once.
 */
final class KeyFiles {

    private final Problems problems = new Problems();
    private final Map<Path, Optional<SecretKey>> keysByFile = new HashMap<>();

    /** Returns the key in a file; empty if the file is not here or contains no key, whose problem is kept. */
    Optional<SecretKey> key(Path file) {
        return keysByFile.computeIfAbsent(file, this::read);
    }

    /**
     * Returns the problems so far. A missing file is a warning, as it may be on the node itself; a file without a key
     * is an error.
     */
    Problems problems() {
        return problems;
    }

    private Optional<SecretKey> read(Path file) {
        try {
            return Optional.of(SecretKey.read(file));
        } catch (IllegalArgumentException e) {
            problems.add(Problem.input(
                    Location.file(file),
                    String.valueOf(e.getMessage()),
                    "move the file away, then generate a key: culvert mesh keygen " + file));
        } catch (IOException e) {
            problems.add(Problem.warning(
                    Location.file(file),
                    e instanceof NoSuchFileException ? "key file not found" : "key file cannot be read",
                    "run this command on the machine that has the key; a comment is written instead of the key"));
        }
        return Optional.empty();
    }
}
