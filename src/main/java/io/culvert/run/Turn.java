package io.culvert.run;

import io.culvert.problem.Hints;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * One at a time: what two programs plan from the same look at the machine would undo each other, as when a machine starts
 * several tunnels at once.
 */
public final class Turn implements AutoCloseable {

    /** Whoever may read a file may lock it, and keep us waiting for ever. */
    private static final FileAttribute<?> OURS =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final FileChannel file;

    private Turn(FileChannel file) {
        this.file = file;
    }

    /**
     * Waits until it is ours; it ends with the process at the latest.
     *
     * @param path a file that is made where there is none, and stays
     */
    public static Turn await(Path path) throws IOException {
        FileChannel file = FileChannel.open(path, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), OURS);
        try {
            var _ = file.lock();
            return new Turn(file);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /**
     * One change at a time of this machine's tunnels and nodes.
     *
     * @throws ProblemException where two at once could not be told apart
     */
    public static void take(Surroundings around, Runnable change) {
        try (Turn _ = await(around.root().resolve("run/culvert-tunnel.lock"))) {
            change.run();
        } catch (IOException e) {
            throw new ProblemException(Problem.machine(
                    Place.machine("/run"),
                    "cannot be written, so two runs at once could not be told apart: " + e.getMessage(),
                    Hints.here().writable("/run")));
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
