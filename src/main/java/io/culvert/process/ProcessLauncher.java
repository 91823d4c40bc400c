// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.linux.OpenFiles;
import io.culvert.linux.Privileges;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Starts a program with fewer privileges than this process has, without a helper program: a thread drops the privileges
 * that the program must not have, starts it, and ends.
 */
public final class ProcessLauncher {

    /**
     * The limit of file descriptors of a child (RLIMIT_NOFILE): as many as one address has ports. Without a limit,
     * which means 2^30 ({@code fs.nr_open}) at most, a program that closes every descriptor that it might have
     * inherited, as Dante does, takes a minute to start.
     */
    private static final long MAX_DESCRIPTORS = 65536;

    private ProcessLauncher() {}

    /**
     * Starts a program in the network namespace of the calling thread. From then on, the limit of file descriptors
     * applies to this process too: a process can lower only its own hard limit, and a child must not be able to raise
     * its limit again.
     */
    public static Process start(ProcessBuilder builder, Privileges privileges) throws IOException {
        OpenFiles.lowerLimit(MAX_DESCRIPTORS);
        FutureTask<Process> start = new FutureTask<>(() -> {
            privileges.applyToThread();
            return builder.start();
        });
        Thread thread = Thread.ofPlatform().daemon().name("launch").start(start);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    thread.join();
                    return start.get();
                } catch (InterruptedException _) {
                    interrupted = true; // The program may have been started already, and must not be left unmanaged.
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Returns whether another user can execute this program. A JVM starts programs through a helper; the helper or the program
     * may be in a directory that only its owner can search.
     */
    public static boolean isExecutableByOthers(Path program) {
        Path helper = Path.of(System.getProperty("java.home", "/"), "lib/jspawnhelper");
        return isPathExecutableByOthers(program) && (!Files.exists(helper) || isPathExecutableByOthers(helper));
    }

    private static boolean isPathExecutableByOthers(Path program) {
        try {
            Path path = program.toRealPath();
            while (path != null) {
                if (!Files.getPosixFilePermissions(path).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                    return false;
                }
                path = path.getParent();
            }
            return true;
        } catch (IOException _) {
            return false;
        }
    }
}
