// SPDX-License-Identifier: Apache-2.0
package io.culvert.reconcile;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Watches files and directories for changes. Editors and orchestrators replace a file, a directory, or a symbolic link in its
 * path (Kubernetes: {@code ..data}), so that a watch on the file itself would miss them: of each part of a path, its entry in
 * the directory above is watched, and of a directory all its entries.
 */
public final class FileWatch implements AutoCloseable {

    /** More than any path has; symbolic links may form a loop. */
    private static final int MAX_LINKS = 40;

    private final Optional<WatchService> service;
    private final Runnable changed;
    private final Map<Path, WatchKey> keys = new HashMap<>();

    /** The names to notice in each directory; empty for all. */
    private Map<Path, Set<Path>> watched = Map.of();

    private FileWatch(Optional<WatchService> service, Runnable changed) {
        this.service = service;
        this.changed = changed;
        service.ifPresent(it -> Thread.ofPlatform().daemon().name("files").start(() -> listen(it)));
    }

    /**
     * Starts watching.
     *
     * @param changed is called on another thread for every change
     */
    public static FileWatch start(Collection<Path> files, Runnable changed) {
        FileWatch watch = new FileWatch(open(), changed);
        watch.set(files);
        return watch;
    }

    private static Optional<WatchService> open() {
        try {
            return Optional.of(FileSystems.getDefault().newWatchService());
        } catch (IOException _) {
            // Without a watch, changes of files take effect when they are read again.
            return Optional.empty();
        }
    }

    /**
     * Watches these files and directories from now on, where they are now: symbolic links in their paths are followed.
     *
     * @return whether something is watched that was not before, which may have changed before it was
     */
    public synchronized boolean set(Collection<Path> files) {
        Map<Path, Set<Path>> next = new HashMap<>();
        files.forEach(file -> add(file.toAbsolutePath().normalize(), next, MAX_LINKS));
        if (service.isEmpty() || next.equals(watched)) {
            return false;
        }
        watched = next;
        keys.entrySet().removeIf(entry -> {
            boolean unused = !next.containsKey(entry.getKey());
            if (unused) {
                entry.getValue().cancel();
            }
            return unused;
        });
        next.keySet().forEach(directory -> {
            try {
                keys.put(
                        directory,
                        directory.register(
                                service.get(),
                                StandardWatchEventKinds.ENTRY_CREATE,
                                StandardWatchEventKinds.ENTRY_DELETE,
                                StandardWatchEventKinds.ENTRY_MODIFY));
            } catch (IOException | ClosedWatchServiceException _) {
                // It has just been removed, of which the directory above informs, or is not readable.
            }
        });
        return true;
    }

    private static void add(Path file, Map<Path, Set<Path>> watched, int links) {
        if (links == 0) {
            return;
        }
        Path directory = file.getRoot();
        for (int i = 0; i < file.getNameCount(); i++) {
            Path name = file.getName(i);
            Path entry = directory.resolve(name);
            Set<Path> names = watched.computeIfAbsent(directory, _ -> new HashSet<>(Set.of(name)));
            if (!names.isEmpty()) { // Otherwise all are noticed.
                names.add(name);
            }
            if (Files.isSymbolicLink(entry)) {
                try {
                    Path target = directory.resolve(Files.readSymbolicLink(entry));
                    for (int j = i + 1; j < file.getNameCount(); j++) {
                        target = target.resolve(file.getName(j));
                    }
                    add(target.normalize(), watched, links - 1);
                } catch (IOException _) {
                    // It has just been replaced, of which its directory informs.
                }
                return;
            }
            if (!Files.isDirectory(entry)) {
                return;
            }
            directory = entry;
        }
        watched.put(directory, Set.of());
    }

    private void listen(WatchService events) {
        try {
            while (true) {
                WatchKey key = events.take();
                boolean relevant = false;
                for (WatchEvent<?> event : key.pollEvents()) {
                    relevant |= isWatched((Path) key.watchable(), event);
                }
                // A directory that was replaced has another key.
                if (!key.reset() || relevant) {
                    changed.run();
                }
            }
        } catch (ClosedWatchServiceException _) {
            // Closed by close().
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean isWatched(Path directory, WatchEvent<?> event) {
        Set<Path> names = watched.get(directory);
        // Without a context, events were lost.
        return names != null && (names.isEmpty() || !(event.context() instanceof Path name) || names.contains(name));
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
