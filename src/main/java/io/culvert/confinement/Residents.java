package io.culvert.confinement;

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
final class Residents {

    private final Path processes;
    private final String namespace;
    private final LongConsumer left;
    private final Set<Long> watched = new HashSet<>();

    /**
     * Creates a tracker without processes.
     *
     * @param namespace its identity, such as {@code net:[4026531840]}
     * @param left is called with the process id, on any thread, when a tracked process has exited
     */
    Residents(Path processes, String namespace, LongConsumer left) {
        this.processes = processes;
        this.namespace = namespace;
        this.left = left;
    }

    /** Tracks a process that is about to enter. */
    void expect(long pid) {
        if (watched.add(pid)) {
            ProcessHandle.of(pid)
                    .ifPresentOrElse(
                            process -> {
                                var _ = process.onExit().thenRun(() -> left.accept(pid));
                            },
                            () -> left.accept(pid));
        }
    }

    void gone(long pid) {
        watched.remove(pid);
    }

    /** Returns the processes inside, which are tracked from now on. */
    Set<Long> all() {
        Set<Long> all = new TreeSet<>(inside());
        all.forEach(this::expect);
        // Without those that have exited but were not reported yet.
        watched.stream()
                .filter(pid -> ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false))
                .forEach(all::add);
        return all;
    }

    private Set<Long> inside() {
        Set<Long> found = new HashSet<>();
        try (Stream<Path> entries = Files.list(processes)) {
            entries.filter(entry -> entry.getFileName().toString().matches("[0-9]+"))
                    .filter(this::isInside)
                    .forEach(entry -> found.add(Long.valueOf(entry.getFileName().toString())));
        } catch (IOException _) {
            // Without /proc only processes count that announced themselves.
        }
        return found;
    }

    private boolean isInside(Path process) {
        try {
            return Files.readSymbolicLink(process.resolve("ns/net")).toString().equals(namespace);
        } catch (IOException _) {
            return false; // It has ended, or is a zombie.
        }
    }
}
