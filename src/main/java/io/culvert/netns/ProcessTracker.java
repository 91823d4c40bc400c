// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/**
 * Tracks the processes in a namespace: those that announced themselves, and all their descendants. The kernel reports
 * the namespace of each process in /proc.
 */
final class ProcessTracker {

    private final Path proc;
    private final String namespace;
    private final LongConsumer onExit;
    private final Set<Long> tracked = new HashSet<>();

    /**
     * Creates a tracker without processes.
     *
     * @param namespace its identity, such as {@code net:[4026531840]}
     * @param onExit is called with the process id, on any thread, when a tracked process has exited
     */
    ProcessTracker(Path proc, String namespace, LongConsumer onExit) {
        this.proc = proc;
        this.namespace = namespace;
        this.onExit = onExit;
    }

    /** Tracks a process that is about to enter. */
    void track(long pid) {
        if (tracked.add(pid)) {
            ProcessHandle.of(pid)
                    .ifPresentOrElse(
                            process -> {
                                var _ = process.onExit().thenRun(() -> onExit.accept(pid));
                            },
                            () -> onExit.accept(pid));
        }
    }

    void untrack(long pid) {
        tracked.remove(pid);
    }

    /** Returns the processes inside, which are tracked from now on. */
    Set<Long> livePids() {
        Set<Long> pids = new TreeSet<>(pidsInNamespace());
        pids.forEach(this::track);
        // Without those that have exited but were not reported yet.
        tracked.stream()
                .filter(pid -> ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false))
                .forEach(pids::add);
        return pids;
    }

    private Set<Long> pidsInNamespace() {
        Set<Long> pids = new HashSet<>();
        try (Stream<Path> entries = Files.list(proc)) {
            entries.filter(entry -> entry.getFileName().toString().matches("[0-9]+"))
                    .filter(this::isInNamespace)
                    .forEach(entry -> pids.add(Long.valueOf(entry.getFileName().toString())));
        } catch (IOException _) {
            // Without /proc only processes count that announced themselves.
        }
        return pids;
    }

    private boolean isInNamespace(Path process) {
        try {
            return Files.readSymbolicLink(process.resolve("ns/net")).toString().equals(namespace);
        } catch (IOException _) {
            return false; // It has ended, or is a zombie.
        }
    }
}
