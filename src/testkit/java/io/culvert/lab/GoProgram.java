// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import org.opentest4j.TestAbortedException;

/** A program that {@code scripts/go-programs} builds, as distributions do not have the required version. */
public final class GoProgram {

    /** Their directory. */
    static final Path DIRECTORY = Path.of(".cache/bin").toAbsolutePath();

    private GoProgram() {}

    /**
     * Returns its path.
     *
     * @throws TestAbortedException if it has not been built: the test is then skipped with this reason
     */
    public static String path(String name) {
        Path program = DIRECTORY.resolve(name);
        if (!Files.isExecutable(program)) {
            throw new TestAbortedException(name + " does not exist: run 'make tailscale', which needs Go");
        }
        return program.toString();
    }
}
