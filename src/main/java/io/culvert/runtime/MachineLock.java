// SPDX-License-Identifier: Apache-2.0
package io.culvert.runtime;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
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
public final class MachineLock implements AutoCloseable {

    /**
     * Only the owner may open the file: any process that can read a file can lock it and block Culvert indefinitely.
     */
    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final FileChannel file;

    private MachineLock(FileChannel file) {
        this.file = file;
    }

    /**
     * Waits for the lock, which is released with the process at the latest.
     *
     * @param path the lock file, which is created if it does not exist, and kept
     */
    public static MachineLock await(Path path) throws IOException {
        FileChannel file =
                FileChannel.open(path, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), OWNER_ONLY);
        try {
            var _ = file.lock();
            return new MachineLock(file);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /**
     * Runs a change of this machine's tunnels and nodes while holding their lock.
     *
     * @throws ProblemException if the lock file cannot be created
     */
    public static void runLocked(Environment environment, Runnable change) {
        try (MachineLock _ = await(environment.root().resolve("run/culvert-tunnel.lock"))) {
            change.run();
        } catch (IOException e) {
            throw new ProblemException(Problem.machine(
                    Location.machine("/run"),
                    "cannot be written, so concurrent runs cannot be locked out: " + e.getMessage(),
                    Hints.here().makeWritable("/run")));
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
