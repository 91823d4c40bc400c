package io.culvert.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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
     * Ends all that are there: SIGTERM, SIGKILL after the grace. Returns when they are gone.
     *
     * @return how many there were
     */
    public int end(Duration grace) {
        List<ProcessHandle> all = find();
        all.forEach(ProcessHandle::destroy);
        if (!goneWithin(all, grace)) {
            all.forEach(ProcessHandle::destroyForcibly);
            goneWithin(all, grace);
        }
        return all.size();
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
            String environment = Files.readString(process.resolve("environ"), StandardCharsets.ISO_8859_1);
            return Arrays.asList(environment.split("\0")).contains(VARIABLE + "=" + mark)
                    && namespace(process).equals(namespace(processes.resolve("thread-self")));
        } catch (IOException _) {
            return false;
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
