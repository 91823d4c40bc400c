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
 * The processes that descend from one kind of child, by a mark that they inherit in their environment, in our network
 * namespace. Unlike parent and group it outlives the parent, a change of group and an earlier run of ours; unlike a name no
 * stranger has it.
 */
public final class Kin {

    /** The variable that holds the mark. */
    private static final String VARIABLE = "CULVERT_CHILD";

    /** How long a process is looked at that is just becoming another program, which takes less than a millisecond. */
    private static final Duration BECOMING = Duration.ofSeconds(2);

    /** Fields of {@code stat} behind the name in parentheses, whose first is number 3 (proc_pid_stat(5)). */
    private static final int CODE_END = 27 - 3;

    private static final int ENVIRONMENT_START = 50 - 3;
    private static final int ENVIRONMENT_END = 51 - 3;

    /** More than the environment of nearly every process. */
    private static final int AT_ONCE = 1 << 16;

    private final String mark;
    private final Path processes;

    /** @param mark of one kind of child, such as its name */
    public Kin(String mark) {
        this(mark, Path.of("/proc"));
    }

    Kin(String mark, Path processes) {
        this.mark = mark;
        this.processes = processes;
    }

    /** To be put into the child's environment. */
    public Map<String, String> environment() {
        return Map.of(VARIABLE, mark);
    }

    /**
     * Ends all that are there: SIGTERM, SIGKILL after the grace. Returns when they are gone, and those that they started while
     * they were looked for.
     *
     * @return how many there were
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

    /** What may not be read is not ours. */
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

    /** It seems to have none while the process becomes another program (execve(2)); nothing tells when it has. */
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

    /** Whether it has none indeed: threads of the kernel, the dead, and programs that were started so. */
    private static boolean isWithout(Path process) throws IOException {
        try {
            Files.readSymbolicLink(process.resolve("exe"));
        } catch (NoSuchFileException _) {
            return true;
        }
        String status = readAtOnce(process.resolve("stat"));
        String[] fields = status.substring(status.lastIndexOf(')') + 1).strip().split(" ", -1);
        // A program in the making has both at one place for a moment, and the end of its code is set last
        // (fs/binfmt_elf.c).
        return fields.length > ENVIRONMENT_END
                && !fields[CODE_END].equals("0")
                && fields[ENVIRONMENT_END].equals(fields[ENVIRONMENT_START]);
    }

    /** What several calls read of a process that becomes another program between them is cut off. */
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
