// SPDX-License-Identifier: Apache-2.0
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
 * Waits until the exit node is healthy, usually without polling. A marker file in the directory of the status socket is created
 * whenever the exit node becomes healthy, and deleted when it no longer is. The file only wakes the waiting process;
 * the health itself is read from the status socket.
 */
public final class HealthWait {

    private static final String FILE = "healthy";

    /** How often the health is read again where no change of the file announces it. */
    private static final Duration REPEAT = Duration.ofSeconds(1);

    private HealthWait() {}

    /**
     * Creates or deletes the marker. Where that fails, waiting processes read the health when their timeout expires.
     */
    public static void setMarker(Path socket, boolean healthy) {
        Path file = socket.resolveSibling(FILE);
        try {
            if (healthy) {
                Files.writeString(file, "");
            } else {
                Files.deleteIfExists(file);
            }
        } catch (IOException _) {
            // See above. Without a writable directory there is no status socket either, and that is reported.
        }
    }

    /** Returns the first healthy report, or the last one when the timeout expires. */
    public static StatusReport await(Path socket, Duration atMost) throws InterruptedException, IOException {
        long end = System.nanoTime() + atMost.toNanos();
        try (WatchService watch = socket.getFileSystem().newWatchService()) {
            while (true) {
                // Watch first, then query, so that no change in between is missed.
                directory(socket)
                        .register(watch, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_DELETE);
                StatusReport report = StatusSocket.query(socket);
                long remaining = end - System.nanoTime();
                if (report.healthy() || remaining <= 0) {
                    return report;
                }
                WatchKey key = watch.poll(
                        isAnnounced(socket, report) ? Math.min(remaining, REPEAT.toNanos()) : remaining,
                        TimeUnit.NANOSECONDS);
                if (key != null) {
                    key.pollEvents();
                    key.reset();
                }
            }
        }
    }

    /**
     * Returns whether the exit node may become healthy without a change of the marker: it was suspended, as by the pause of
     * its container, or another program's rule is in effect for a moment.
     */
    private static boolean isAnnounced(Path socket, StatusReport report) {
        return report.state() == StatusReport.State.UNRESPONSIVE || Files.exists(socket.resolveSibling(FILE));
    }

    /** Returns the socket's directory, or its nearest existing parent while it has not been created. */
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
