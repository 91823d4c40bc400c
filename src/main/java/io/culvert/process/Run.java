package io.culvert.process;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** One run of a program: the process, the thread that reads its output, and its exit. */
final class Run {

    /** The number of last output lines that are kept. */
    private static final int LAST_WORDS = 5;

    /** How long to read after the exit: the process's own children may hold the pipe open indefinitely. */
    private static final Duration LAST_LINES = Duration.ofMillis(200);

    private final Process process;
    private final Deque<String> lastWords = new ArrayDeque<>();
    private final CompletableFuture<ChildEvent.Ended> end = new CompletableFuture<>();
    private final Thread reader;

    private Run(ChildSpec spec, Supervision supervision, Process process) {
        this.process = process;
        this.reader = Thread.ofPlatform()
                .name("output-" + spec.name())
                .daemon()
                .unstarted(() -> Lines.relay(process.getInputStream(), line -> {
                    String clean = supervision.redactor().apply(line);
                    remember(clean);
                    supervision.tell(new ChildEvent.Said(spec.name(), clean));
                }));
    }

    /** Starts the program; nothing is read yet. */
    static Run start(ChildSpec spec, Supervision supervision) throws IOException {
        List<String> command = new ArrayList<>(List.of(spec.program().toString()));
        command.addAll(spec.arguments());
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(Redirect.from(new File("/dev/null")));
        builder.environment().clear();
        builder.environment().putAll(spec.environment());
        return new Run(spec, supervision, supervision.children().start(builder, spec.privileges()));
    }

    void read() {
        reader.start();
    }

    long pid() {
        return process.pid();
    }

    CompletableFuture<ChildEvent.Ended> end() {
        return end;
    }

    /** Waits for the process's exit and, for a moment, for the rest of its output. */
    int await(Children children) throws InterruptedException {
        int status = children.await(process);
        reader.join(LAST_LINES);
        return status;
    }

    List<String> lastWords() {
        synchronized (lastWords) {
            return List.copyOf(lastWords);
        }
    }

    /**
     * Stops the process: SIGTERM, then SIGKILL after the grace period. Its descendants are killed too. (A process group
     * would include those that were orphaned before; Java cannot create one.)
     */
    void terminate(Duration grace) {
        List<ProcessHandle> descendants = process.descendants().toList();
        process.destroy();
        if (!endsWithin(grace)) {
            descendants = Stream.concat(descendants.stream(), process.descendants())
                    .distinct()
                    .toList();
            process.destroyForcibly();
        }
        descendants.forEach(ProcessHandle::destroyForcibly);
    }

    private boolean endsWithin(Duration grace) {
        try {
            return process.waitFor(grace.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void remember(String line) {
        synchronized (lastWords) {
            if (lastWords.size() == LAST_WORDS) {
                lastWords.removeFirst();
            }
            lastWords.addLast(line);
        }
    }
}
