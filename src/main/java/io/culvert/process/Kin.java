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
public final class Kin {

    /** The environment variable that holds the tag. */
    private static final String VARIABLE = "CULVERT_CHILD";

    /** How long to wait for a process that is in the middle of execve(2), which takes less than a millisecond. */
    private static final Duration BECOMING = Duration.ofSeconds(2);

    /** Fields of {@code stat} after the name in parentheses; the first of these is number 3 (proc_pid_stat(5)). */
    private static final int CODE_END = 27 - 3;

    private static final int ENVIRONMENT_START = 50 - 3;
    private static final int ENVIRONMENT_END = 51 - 3;

    /** Buffer size; larger than the environment of nearly every process. */
    private static final int AT_ONCE = 1 << 16;

    private final String mark;
    private final Path processes;

    /** @param mark the tag of one kind of child, such as its name */
    public Kin(String mark) {
        this(mark, Path.of("/proc"));
    }

    Kin(String mark, Path processes) {
        this.mark = mark;
        this.processes = processes;
    }

    /** Returns the variable to be added to the child's environment. */
    public Map<String, String> environment() {
        return Map.of(VARIABLE, mark);
    }

    /**
     * Stops all of them: SIGTERM, then SIGKILL after the grace period. Returns when they have exited, including those
     * that they started during the search.
     *
     * @return how many processes were stopped
     */
    public int end(Duration grace) {
        int ended = 0;
        List<ProcessHandle> all = find();
        while (!all.isEmpty()) {
            ended += all.size();
            all.forEach(ProcessHandle::destroy);
            if (!goneWithin(all, grace)) {
                all.forEach(ProcessHandle::destroyForcibly);
                if (!goneWithin(all, grace)) {
                    break;
                }
            }
            all = find();
        }
        return ended;
    }

    List<ProcessHandle> find() {
        long self = ProcessHandle.current().pid();
        return ProcessHandle.allProcesses()
                .filter(process -> process.pid() != self && bearsMark(process.pid()))
                .toList();
    }

    /** Whether the process has the tag; one whose environment may not be read does not belong to us. */
    private boolean bearsMark(long pid) {
        Path process = processes.resolve(Long.toString(pid));
        try {
            String environment = environment(process);
            return Arrays.asList(environment.split("\0")).contains(VARIABLE + "=" + mark)
                    && namespace(process).equals(namespace(processes.resolve("thread-self")));
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
            String environment = readAtOnce(process.resolve("environ"));
            if (!environment.isEmpty() || isWithout(process) || System.nanoTime() - start > BECOMING.toNanos()) {
                return environment;
            }
            Thread.onSpinWait();
        }
    }

    /**
     * Whether the process really has no environment: a kernel thread, a zombie, or a program that was started without
     * one.
     */
    private static boolean isWithout(Path process) throws IOException {
        try {
            Files.readSymbolicLink(process.resolve("exe"));
        } catch (NoSuchFileException _) {
            return true;
        }
        String status = readAtOnce(process.resolve("stat"));
        String[] fields = status.substring(status.lastIndexOf(')') + 1).strip().split(" ", -1);
        // During execve(2), start and end of the environment are equal for a moment; the end of the code is set last
        // (fs/binfmt_elf.c).
        return fields.length > ENVIRONMENT_END
                && !fields[CODE_END].equals("0")
                && fields[ENVIRONMENT_END].equals(fields[ENVIRONMENT_START]);
    }

    /** Reads a file with as few calls as possible: an execve(2) between two calls would truncate the result. */
    private static String readAtOnce(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = new byte[AT_ONCE];
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

    private static boolean goneWithin(List<ProcessHandle> processes, Duration grace) {
        CompletableFuture<?>[] ends =
                processes.stream().map(ProcessHandle::onExit).toArray(CompletableFuture<?>[]::new);
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
