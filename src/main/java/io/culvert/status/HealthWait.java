package io.culvert.status;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Waiting until the exit node is healthy, without asking again and again: a file beside the status socket is made whenever it
 * becomes so, and removed when it is so no more. The file wakes who waits; the answer is the socket's.
 */
public final class HealthWait {

    private static final String FILE = "healthy";

    private HealthWait() {}

    /** Tells those who wait. Where that cannot be told, they find out when their time is over. */
    public static void tell(Path socket, boolean healthy) {
        Path file = socket.resolveSibling(FILE);
        try {
            if (healthy) {
                Files.writeString(file, "");
            } else {
                Files.deleteIfExists(file);
            }
        } catch (IOException _) {
            // Said above; without a place for files there is no status socket either, and that is told.
        }
    }

    /** The first report that is healthy, or the last one in this time. */
    public static StatusReport await(Path socket, Duration atMost) throws InterruptedException, IOException {
        long end = System.nanoTime() + atMost.toNanos();
        try (WatchService watch = socket.getFileSystem().newWatchService()) {
            while (true) {
                // First listen, then ask: nothing that happens in between is missed.
                directory(socket)
                        .register(watch, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_DELETE);
                StatusReport report = StatusSocket.ask(socket);
                long left = end - System.nanoTime();
                if (report.healthy() || left <= 0) {
                    return report;
                }
                WatchKey key = watch.poll(left, TimeUnit.NANOSECONDS);
                if (key != null) {
                    key.pollEvents();
                    key.reset();
                }
            }
        }
    }

    /** Where the socket is or will be made: the nearest directory that is there. */
    private static Path directory(Path socket) {
        Path directory = socket;
        for (Path parent = socket.getParent(); parent != null; parent = parent.getParent()) {
            directory = parent;
            if (Files.isDirectory(parent)) {
                break;
            }
        }
        return directory;
    }
}
