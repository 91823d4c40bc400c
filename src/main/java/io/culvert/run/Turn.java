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
 * A lock between processes of Culvert. Without it, two runs that planned from the same state of the machine would undo
 * each other's changes, as when several tunnels are started at boot.
 */
public final class Turn implements AutoCloseable {

    /** Only the owner may open the file: any process that can read a file can lock it and block us indefinitely. */
    private static final FileAttribute<?> OURS =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final FileChannel file;

    private Turn(FileChannel file) {
        this.file = file;
    }

    /**
     * Waits for the lock, which is released with the process at the latest.
     *
     * @param path the lock file, which is created if it does not exist, and kept
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
     * Runs a change of this machine's tunnels and nodes while holding their lock.
     *
     * @throws ProblemException where the lock file cannot be created
     */
    public static void take(Surroundings around, Runnable change) {
        try (Turn _ = await(around.root().resolve("run/culvert-tunnel.lock"))) {
            change.run();
        } catch (IOException e) {
            throw new ProblemException(Problem.machine(
                    Place.machine("/run"),
                    "cannot be written, so concurrent runs cannot be locked out: " + e.getMessage(),
                    Hints.here().writable("/run")));
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
