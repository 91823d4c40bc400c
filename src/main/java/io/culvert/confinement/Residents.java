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
 * The processes in a namespace: those that said they would come, and whatever they have started, however it was orphaned. The
 * kernel says of each process where it lives; nobody else has to.
 */
final class Residents {

    private final Path processes;
    private final String namespace;
    private final LongConsumer left;
    private final Set<Long> watched = new HashSet<>();

    /**
     * @param namespace its identity, such as {@code net:[4026531840]}
     * @param left is told, on any thread, when one that is watched has ended
     */
    Residents(Path processes, String namespace, LongConsumer left) {
        this.processes = processes;
        this.namespace = namespace;
        this.left = left;
    }

    /** Counts a process that is on its way. */
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

    /** Looks who is there; all of them are watched from now on. */
    Set<Long> all() {
        Set<Long> all = new TreeSet<>(inside());
        all.forEach(this::expect);
        // Of those that have just ended, some are yet to be told.
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
            // Without /proc only those count that told us.
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
