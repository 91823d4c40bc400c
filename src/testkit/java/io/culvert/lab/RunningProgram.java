// SPDX-License-Identifier: Apache-2.0
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

/** A program that runs during a test; the test can wait for lines of its output. Closing it kills it. */
public final class RunningProgram implements AutoCloseable {

    /** How long a killed program may take to exit: the kernel deletes its interfaces and namespaces one by one. */
    private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(60);

    private final String name;
    private final Process process;
    private final List<String> lines = new ArrayList<>();
    private boolean ended;
    private int firstLine;

    private RunningProgram(String name, Process process) {
        this.name = name;
        this.process = process;
    }

    /** Starts a program; standard output and standard error are read as one. */
    static RunningProgram start(String name, List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .start();
            RunningProgram child = new RunningProgram(name, process);
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
            // The stream of a killed process may fail: the output has ended.
        } finally {
            synchronized (lines) {
                ended = true;
                lines.notifyAll();
            }
        }
    }

    /**
     * Waits for a line that contains a match of the expression; lines printed since {@link #ignoreEarlierOutput} count too.
     *
     * @throws AssertionError with the whole output, if the timeout expires or the output ends first
     */
    public MatchResult awaitLine(String expression, Duration timeout) {
        return awaitLines(expression, 1, timeout);
    }

    /** Waits for this many such lines and returns the match in the last one. */
    MatchResult awaitLines(String expression, int count, Duration timeout) {
        Pattern pattern = Pattern.compile(expression);
        long end = System.nanoTime() + ScaledTimeout.of(timeout).toNanos();
        synchronized (lines) {
            int matches = 0;
            for (int next = firstLine; ; ) {
                while (next < lines.size()) {
                    Matcher matcher = pattern.matcher(lines.get(next++));
                    if (matcher.find() && ++matches == count) {
                        return matcher.toMatchResult();
                    }
                }
                long rest = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (ended || rest <= 0) {
                    throw new AssertionError("%s did not print /%s/ %s. Output:%n%s"
                            .formatted(name, expression, ended ? "before it ended" : "within " + timeout, output()));
                }
                await(rest);
            }
        }
    }

    /** Makes {@link #awaitLine} ignore the lines printed so far. */
    public RunningProgram ignoreEarlierOutput() {
        synchronized (lines) {
            firstLine = lines.size();
        }
        return this;
    }

    /** Returns the output so far. */
    public String output() {
        synchronized (lines) {
            return String.join("\n", lines);
        }
    }

    /** Waits until it exits and returns its exit status. */
    public int awaitExit(Duration timeout) {
        Supplier<String> message = () -> name + " is still running after " + timeout + ". Output:\n" + output();
        try {
            if (!process.waitFor(ScaledTimeout.of(timeout))) {
                throw new AssertionError(message.get());
            }
            long end = System.nanoTime() + EXIT_TIMEOUT.toNanos();
            synchronized (lines) {
                // A descendant may keep the output open: it is not waited for longer.
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

    /** Returns its descendant whose command line contains all of these words. */
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

    /** Returns its process ID; with {@code unshare --fork} that of the wrapper. */
    long pid() {
        return process.pid();
    }

    /** Returns the process ID of the program itself, without its wrappers. */
    public long programPid() {
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
                throw new AssertionError(name + " has ended. Output:\n" + output(), e);
            }
            pid = Long.parseLong(children.split(" ", -1)[0]);
        }
    }

    /** Sends a signal, such as {@code TERM}, to the program inside its wrappers. */
    public void signal(String signal) {
        CommandResult.of(List.of("kill", "-" + signal, Long.toString(programPid())))
                .outputOrFail();
    }

    /** Kills it with SIGKILL. */
    public void kill() {
        if (process.isAlive()) {
            signal("KILL");
            awaitExit(EXIT_TIMEOUT);
        }
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        awaitExit(EXIT_TIMEOUT);
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
