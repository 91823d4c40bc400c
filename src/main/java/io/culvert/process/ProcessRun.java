// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.timing.Threads;
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
import org.jspecify.annotations.Nullable;

/** One run of a program: the process, the thread that reads its output, and its exit. */
final class ProcessRun {

    /** The number of last output lines that are kept. */
    private static final int LAST_OUTPUT_LINES = 5;

    /** How long to read after the exit: the process's own children may hold the pipe open indefinitely. */
    private static final Duration OUTPUT_TIMEOUT = Duration.ofMillis(200);

    private final String name;
    private final Process process;
    private final Deque<String> lastOutput = new ArrayDeque<>();
    private final CompletableFuture<ChildEvent.Exited> exit = new CompletableFuture<>();
    private final Threads threads;
    private final Runnable reading;
    private @Nullable Thread reader;

    private ProcessRun(ChildSpec spec, Supervision supervision, Process process) {
        this.process = process;
        this.threads = supervision.threads();
        this.name = spec.name();
        this.reading = () -> OutputLines.forEachLine(process.getInputStream(), line -> {
            String redacted = supervision.redactor().apply(line);
            keepLastOutput(redacted);
            supervision.report(new ChildEvent.OutputLine(spec.name(), redacted));
        });
    }

    /** Starts the program; nothing is read yet. */
    static ProcessRun start(ChildSpec spec, Supervision supervision) throws IOException {
        List<String> command = new ArrayList<>(List.of(spec.program().toString()));
        command.addAll(spec.arguments());
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(Redirect.from(new File("/dev/null")));
        builder.environment().clear();
        builder.environment().putAll(spec.environment());
        return new ProcessRun(spec, supervision, supervision.children().start(builder, spec.privileges()));
    }

    void startReading() {
        reader = threads.start("output-" + name, reading);
    }

    long pid() {
        return process.pid();
    }

    CompletableFuture<ChildEvent.Exited> exit() {
        return exit;
    }

    /** Waits for the exit of the process and, briefly, for the rest of its output. */
    int await(Children children) throws InterruptedException {
        int status = children.await(process);
        if (reader != null) {
            threads.join(reader, OUTPUT_TIMEOUT);
        }
        return status;
    }

    List<String> lastOutput() {
        synchronized (lastOutput) {
            return List.copyOf(lastOutput);
        }
    }

    /**
     * Stops the process: SIGTERM, then SIGKILL after the grace period. Its descendants are killed too. (A process group
     * would include those that were orphaned before; Java cannot create one.)
     */
    void terminate(Duration grace) {
        List<ProcessHandle> descendants = process.descendants().toList();
        process.destroy();
        if (!exitsWithin(grace)) {
            descendants = Stream.concat(descendants.stream(), process.descendants())
                    .distinct()
                    .toList();
            process.destroyForcibly();
        }
        descendants.forEach(ProcessHandle::destroyForcibly);
    }

    /** Kills the process and its descendants at once. */
    void kill() {
        List<ProcessHandle> descendants = process.descendants().toList();
        process.destroyForcibly();
        descendants.forEach(ProcessHandle::destroyForcibly);
    }

    private boolean exitsWithin(Duration grace) {
        try {
            return process.waitFor(grace.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void keepLastOutput(String line) {
        synchronized (lastOutput) {
            if (lastOutput.size() == LAST_OUTPUT_LINES) {
                lastOutput.removeFirst();
            }
            lastOutput.addLast(line);
        }
    }
}
