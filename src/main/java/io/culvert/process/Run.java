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

/** One life of a program: the process, the thread that reads what it says, and its end. */
final class Run {

    /** How many of its last lines are kept. */
    private static final int LAST_WORDS = 5;

    /** How long the reader may go on after the end: the process's own children may hold the pipe open for ever. */
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

    /** Waits for the end of the process and, for a moment, for what it still had to say. */
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
     * SIGTERM, and SIGKILL when the grace is over; what the process had started itself goes with it. (A process group would
     * catch more, those that were orphaned before; Java cannot make one.)
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
