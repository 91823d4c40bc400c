// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Finds the processes that descend from one kind of child in this network namespace, by a tag that they inherit in
 * their environment. Unlike the parent and the process group, the tag survives the parent's exit, a change of the group
 * and an earlier run of Culvert; unlike a program's name, no unrelated process has it.
 */
public final class TaggedProcesses {

    /** The environment variable that holds the tag. */
    private static final String VARIABLE = "CULVERT_CHILD";

    /** How long to wait for a process that is in the middle of execve(2), which takes less than a millisecond. */
    private static final Duration EXEC_TIMEOUT = Duration.ofSeconds(2);

    /** Fields of {@code stat} after the name in parentheses; the first of these is number 3 (proc_pid_stat(5)). */
    private static final int CODE_END = 27 - 3;

    private static final int ENVIRONMENT_START = 50 - 3;
    private static final int ENVIRONMENT_END = 51 - 3;

    /** Buffer size; larger than the environment of nearly every process. */
    private static final int BUFFER_SIZE = 1 << 16;

    private final String tag;
    private final Path proc;

    /** @param tag the tag of one kind of child, such as its name */
    public TaggedProcesses(String tag) {
        this(tag, Path.of("/proc"));
    }

    TaggedProcesses(String tag, Path proc) {
        this.tag = tag;
        this.proc = proc;
    }

    /** Returns the variable to be added to the child's environment. */
    public Map<String, String> environment() {
        return Map.of(VARIABLE, tag);
    }

    /**
     * Stops all of them: SIGTERM, then SIGKILL after the grace period. Returns when they have exited, including those
     * that they started during the search.
     *
     * @return the number of stopped processes
     */
    public int stopAll(Duration grace) {
        int stopped = 0;
        List<ProcessHandle> processes = find();
        while (!processes.isEmpty()) {
            stopped += processes.size();
            processes.forEach(ProcessHandle::destroy);
            if (!exitWithin(processes, grace)) {
                processes.forEach(ProcessHandle::destroyForcibly);
                if (!exitWithin(processes, grace)) {
                    break;
                }
            }
            processes = find();
        }
        return stopped;
    }

    List<ProcessHandle> find() {
        long self = ProcessHandle.current().pid();
        return ProcessHandle.allProcesses()
                .filter(process -> process.pid() != self && hasTag(process.pid()))
                .toList();
    }

    /** Returns whether the process has the tag; false if its environment may not be read. */
    private boolean hasTag(long pid) {
        Path process = proc.resolve(Long.toString(pid));
        try {
            String environment = environment(process);
            return Arrays.asList(environment.split("\0")).contains(VARIABLE + "=" + tag)
                    && namespace(process).equals(namespace(proc.resolve("thread-self")));
        } catch (IOException _) {
            return false;
        }
    }

    /**
     * Reads a process's environment, which reads as empty during execve(2). There is no event for the end of execve(2),
     * so the file is read again.
     */
    private static String environment(Path process) throws IOException {
        long start = System.nanoTime();
        while (true) {
            String environment = readInOneCall(process.resolve("environ"));
            if (!environment.isEmpty()
                    || hasNoEnvironment(process)
                    || System.nanoTime() - start > EXEC_TIMEOUT.toNanos()) {
                return environment;
            }
            Thread.onSpinWait();
        }
    }

    /**
     * Returns whether the process really has no environment: a kernel thread, a zombie, or a program that was started without
     * one.
     */
    private static boolean hasNoEnvironment(Path process) throws IOException {
        try {
            Files.readSymbolicLink(process.resolve("exe"));
        } catch (NoSuchFileException _) {
            return true;
        }
        String status = readInOneCall(process.resolve("stat"));
        String[] fields = status.substring(status.lastIndexOf(')') + 1).strip().split(" ", -1);
        // During execve(2), start and end of the environment are equal for a moment; the end of the code is set last
        // (fs/binfmt_elf.c).
        return fields.length > ENVIRONMENT_END
                && !fields[CODE_END].equals("0")
                && fields[ENVIRONMENT_END].equals(fields[ENVIRONMENT_START]);
    }

    /** Reads a file with as few calls as possible: an execve(2) between two calls would truncate the result. */
    private static String readInOneCall(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = new byte[BUFFER_SIZE];
            StringBuilder text = new StringBuilder();
            for (int count = in.read(bytes); count > 0; count = in.read(bytes)) {
                text.append(new String(bytes, 0, count, StandardCharsets.ISO_8859_1));
            }
            return text.toString();
        }
    }

    private static Path namespace(Path process) throws IOException {
        return Files.readSymbolicLink(process.resolve("ns/net"));
    }

    private static boolean exitWithin(List<ProcessHandle> proc, Duration grace) {
        CompletableFuture<?>[] ends = proc.stream().map(ProcessHandle::onExit).toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(ends).get(grace.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException _) {
            return false;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }
}
