package io.culvert.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A program that runs beside a test: its lines are kept, and can be waited for. Closing it kills it. */
public final class Child implements AutoCloseable {

    /** A killed program may still have to wait for the kernel, which takes interfaces and namespaces down one by one. */
    private static final Duration END = Duration.ofSeconds(60);

    private final String name;
    private final Process process;
    private final List<String> lines = new ArrayList<>();
    private boolean ended;
    private int heeded;

    private Child(String name, Process process) {
        this.name = name;
        this.process = process;
    }

    /** Starts a program; its two outputs are read as one. */
    static Child start(String name, List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .start();
            Child child = new Child(name, process);
            Thread.ofPlatform().daemon().name(name + " output").start(child::read);
            return child;
        } catch (IOException e) {
            throw new UncheckedIOException("starting " + command, e);
        }
    }

    private void read() {
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                    lines.notifyAll();
                }
            }
        } catch (IOException e) {
            // The stream of a killed process may break off: that is its end.
        } finally {
            synchronized (lines) {
                ended = true;
                lines.notifyAll();
            }
        }
    }

    /**
     * Waits for a line in which the expression is found, those that came already included, back to {@link #fromNow}.
     *
     * @throws AssertionError with the whole output, when the deadline passes or the output ends first
     */
    public MatchResult awaitLine(String expression, Duration deadline) {
        return awaitLines(expression, 1, deadline);
    }

    /** Waits for so many of these lines, in the same way; the last one's match. */
    MatchResult awaitLines(String expression, int count, Duration deadline) {
        Pattern pattern = Pattern.compile(expression);
        long end = System.nanoTime() + Patience.of(deadline).toNanos();
        synchronized (lines) {
            int found = 0;
            for (int next = heeded; ; ) {
                while (next < lines.size()) {
                    Matcher matcher = pattern.matcher(lines.get(next++));
                    if (matcher.find() && ++found == count) {
                        return matcher.toMatchResult();
                    }
                }
                long rest = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (ended || rest <= 0) {
                    throw new AssertionError("%s did not say /%s/ %s. It said:%n%s"
                            .formatted(name, expression, ended ? "before it ended" : "in " + deadline, output()));
                }
                await(rest);
            }
        }
    }

    /** From now on, only lines that are yet to come count for {@link #awaitLine}. */
    public Child fromNow() {
        synchronized (lines) {
            heeded = lines.size();
        }
        return this;
    }

    /** Every line so far, or all of them when it has ended. */
    public String output() {
        synchronized (lines) {
            return String.join("\n", lines);
        }
    }

    /** Its exit status, once it has ended by itself. */
    public int awaitExit(Duration deadline) {
        Supplier<String> late = () -> name + " is still running after " + deadline + ". It said:\n" + output();
        try {
            if (!process.waitFor(Patience.of(deadline))) {
                throw new AssertionError(late.get());
            }
            long end = System.nanoTime() + END.toNanos();
            synchronized (lines) {
                // A grandchild may hold the output open: it does not count.
                while (!ended && end > System.nanoTime()) {
                    await(Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())));
                }
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** The process below it, at any depth, whose command line contains all of these words. */
    public ProcessHandle descendant(String... words) {
        return process.descendants()
                .filter(handle -> {
                    try {
                        String line = Files.readString(Path.of("/proc/" + handle.pid() + "/cmdline"));
                        return Arrays.stream(words).allMatch(line::contains);
                    } catch (IOException e) {
                        return false; // It has just ended.
                    }
                })
                .reduce((_, deepest) -> deepest)
                .orElseThrow(() -> new AssertionError(name + " has no process " + List.of(words)));
    }

    /** The process itself; below {@code unshare --fork} that is the wrapper. */
    long pid() {
        return process.pid();
    }

    /** The process at the end of a chain of single children: what a wrapper wraps. */
    long innermost() {
        long pid = process.pid();
        for (; ; ) {
            String children;
            try {
                children = Files.readString(Path.of("/proc/" + pid + "/task/" + pid + "/children"))
                        .strip();
                String wrapper =
                        Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
                if (!wrapper.equals("unshare") || children.isEmpty()) {
                    return pid;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(name + " has ended", e);
            }
            pid = Long.parseLong(children.split(" ", -1)[0]);
        }
    }

    /** Sends a signal, such as {@code TERM}, to the program inside its wrappers. */
    public void signal(String signal) {
        Outcome.of(List.of("kill", "-" + signal, Long.toString(innermost()))).orFail();
    }

    /** Kills it, with no chance to clean up. */
    public void kill() {
        if (process.isAlive()) {
            signal("KILL");
            awaitExit(END);
        }
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        awaitExit(END);
    }

    private void await(long millis) {
        try {
            lines.wait(Math.max(1, millis));
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static AssertionError interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new AssertionError("interrupted", e);
    }
}
