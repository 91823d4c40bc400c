package io.culvert.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import org.opentest4j.TestAbortedException;

/** A program that {@code scripts/go-programs} builds, and that no distribution has in the version needed. */
public final class GoProgram {

    /** Where they all are. */
    static final Path DIRECTORY = Path.of(".cache/bin").toAbsolutePath();

    private GoProgram() {}

    /**
     * Its path.
     *
     * @throws TestAbortedException where it could not be built: a test that needs it is then reported as skipped, and why
     */
    public static String path(String name) {
        Path program = DIRECTORY.resolve(name);
        if (!Files.isExecutable(program)) {
            throw new TestAbortedException(name + " is not here: 'make tailscale' builds it, and needs Go");
        }
        return program.toString();
    }
}
