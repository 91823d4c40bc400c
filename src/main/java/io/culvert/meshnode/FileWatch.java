// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Optional;

/**
 * Watches the directory of a file for changes. Editors and orchestrators replace a file, or a symbolic link to it, so
 * that a watch on the file itself would miss them.
 */
final class FileWatch implements AutoCloseable {

    private final Optional<WatchService> service;

    private FileWatch(Optional<WatchService> service) {
        this.service = service;
    }

    /**
     * Starts watching.
     *
     * @param changed is called on another thread for every change
     */
    static FileWatch start(Path file, Runnable changed) {
        try {
            WatchService service = file.getFileSystem().newWatchService();
            Thread.ofPlatform().daemon().name("files").start(() -> listen(service, changed));
            Path directory = file.toAbsolutePath().getParent();
            (directory == null ? file : directory)
                    .register(
                            service,
                            StandardWatchEventKinds.ENTRY_CREATE,
                            StandardWatchEventKinds.ENTRY_DELETE,
                            StandardWatchEventKinds.ENTRY_MODIFY);
            return new FileWatch(Optional.of(service));
        } catch (IOException _) {
            // Without a watch, changes of the file take effect after a restart.
            return new FileWatch(Optional.empty());
        }
    }

    private static void listen(WatchService service, Runnable changed) {
        try {
            while (true) {
                WatchKey key = service.take();
                key.pollEvents();
                key.reset();
                changed.run();
            }
        } catch (ClosedWatchServiceException _) {
            // Closed by close().
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        try {
            if (service.isPresent()) {
                service.get().close();
            }
        } catch (IOException _) {
            // The kernel closes the watch when the process ends.
        }
    }
}
