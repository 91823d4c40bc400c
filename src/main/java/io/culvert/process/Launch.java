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
 * The start of a program with fewer privileges than this process has. No other program stands between: a thread gives up what
 * the program is not to have, starts it, and ends.
 */
public final class Launch {

    /**
     * How many descriptors a child may have: as many as one address has ports. Where there is no limit, which is 2^30
     * ({@code fs.nr_open}) at most, a program that closes all that it might have inherited, as Dante does, takes a minute.
     */
    private static final long DESCRIPTORS = 65536;

    private Launch() {}

    /**
     * Starts it, in the network namespace of the calling thread. From then on the limit of a child's descriptors is this
     * process's too: the hard one can be lowered for oneself only, and a child that raises its own must not get beyond.
     */
    public static Process start(ProcessBuilder builder, Privileges privileges) throws IOException {
        OpenFiles.limit(DESCRIPTORS);
        FutureTask<Process> start = new FutureTask<>(() -> {
            privileges.take();
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
                    interrupted = true; // It may have started already, and would be nobody's.
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
     * Whether another user could start this program: a JVM starts programs by a helper, which may lie where only its owner may
     * look, and so may the program.
     */
    public static boolean isOpenToOthers(Path program) {
        Path helper = Path.of(System.getProperty("java.home", "/"), "lib/jspawnhelper");
        return isOpen(program) && (!Files.exists(helper) || isOpen(helper));
    }

    private static boolean isOpen(Path program) {
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
