// SPDX-License-Identifier: Apache-2.0
package io.culvert.reconcile;

import io.culvert.linux.Inotify;
import io.culvert.linux.SystemCallException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Watches files and directories for changes. Editors and orchestrators replace a file, a directory, or a symbolic link in its
 * path (Kubernetes: {@code ..data}), so that a watch on the file itself would miss them: of each part of a path, its entry in
 * the directory above is watched, and of a directory all its entries. A file that is mounted alone into a container changes
 * without a change of that directory: so each file itself is watched, too.
 */
public final class FileWatch implements AutoCloseable {

    /** More than any path has; symbolic links may form a loop. */
    private static final int MAX_LINKS = 40;

    /** Of a directory; the kernel limits the number of watches (fs.inotify.max_user_watches). */
    private static final int MAX_ENTRIES = 1000;

    private final Optional<Inotify> inotify;
    private final Runnable changed;

    /** The names to notice in each directory; empty for all, and for a file. */
    private Map<Path, Set<String>> watched = Map.of();

    /** The numbers of the watches; paths of the same file have the same one. */
    private Map<Path, Integer> watches = Map.of();

    private FileWatch(Optional<Inotify> inotify, Runnable changed) {
        this.inotify = inotify;
        this.changed = changed;
        inotify.ifPresent(it -> Thread.ofPlatform().daemon().name("files").start(() -> listen(it)));
    }

    /**
     * Starts watching.
     *
     * @param inotify is closed with this; without one, changes of files take effect when they are read again
     * @param changed is called on another thread for every change
     */
    public static FileWatch start(Optional<Inotify> inotify, Collection<Path> files, Runnable changed) {
        FileWatch watch = new FileWatch(inotify, changed);
        watch.set(files);
        return watch;
    }

    /**
     * Watches these files and directories from now on, where they are now: symbolic links in their paths are followed.
     *
     * @return whether something is watched that was not before, which may have changed before it was
     */
    public synchronized boolean set(Collection<Path> files) {
        if (inotify.isEmpty()) {
            return false;
        }
        Map<Path, Set<String>> next = new HashMap<>();
        files.forEach(file -> add(file.toAbsolutePath().normalize(), next, MAX_LINKS));
        Map<Path, Integer> nextWatches = new HashMap<>();
        next.keySet().forEach(path -> {
            try {
                nextWatches.put(path, inotify.get().add(path));
            } catch (SystemCallException | IllegalStateException _) {
                // It has just been removed, of which the directory above informs, or is not readable; or this is
                // closed.
            }
        });
        Set<Integer> unused = new HashSet<>(watches.values());
        unused.removeAll(nextWatches.values());
        unused.forEach(inotify.get()::remove);
        boolean isMore = !next.equals(watched) || !nextWatches.equals(watches);
        watched = next;
        watches = nextWatches;
        return isMore;
    }

    private static void add(Path file, Map<Path, Set<String>> watched, int links) {
        if (links == 0) {
            return;
        }
        Path directory = file.getRoot();
        for (int i = 0; i < file.getNameCount(); i++) {
            Path name = file.getName(i);
            Path entry = directory.resolve(name);
            Set<String> names = watched.computeIfAbsent(directory, _ -> new HashSet<>(Set.of(name.toString())));
            if (!names.isEmpty()) { // Otherwise all are noticed.
                names.add(name.toString());
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
                addFile(entry, watched);
                return;
            }
            directory = entry;
        }
        watched.put(directory, Set.of());
        try (Stream<Path> entries = Files.list(directory)) {
            entries.limit(MAX_ENTRIES).forEach(entry -> addFile(entry, watched));
        } catch (IOException | UncheckedIOException _) {
            // It has just been removed, of which the directory above informs, or is not readable.
        }
    }

    private static void addFile(Path file, Map<Path, Set<String>> watched) {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            watched.put(file, Set.of());
        }
    }

    private void listen(Inotify events) {
        for (List<Inotify.Event> batch = events.await(); !batch.isEmpty(); batch = events.await()) {
            if (batch.stream().anyMatch(this::isWatched)) {
                changed.run();
            }
        }
    }

    /** A directory that was replaced has another number, and an event about itself. */
    private synchronized boolean isWatched(Inotify.Event event) {
        return event.watch() < 0
                || watches.entrySet().stream()
                        .filter(watch -> watch.getValue() == event.watch())
                        .map(watch -> Objects.requireNonNull(watched.get(watch.getKey())))
                        .anyMatch(names -> names.isEmpty() || event.name().isEmpty() || names.contains(event.name()));
    }

    @Override
    public void close() {
        inotify.ifPresent(Inotify::close);
    }
}
