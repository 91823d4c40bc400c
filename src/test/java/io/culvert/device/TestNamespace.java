package io.culvert.device;

import io.culvert.linux.NetworkNamespace;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;

/** A network namespace that lasts until it is closed, or this JVM ends, whichever way. */
final class TestNamespace implements AutoCloseable {

    private final Process holder;

    TestNamespace() throws IOException {
        // Ends at the end of its standard input.
        holder = new ProcessBuilder("unshare", "--net", "sh", "-c", "ip link set lo up && echo ready && exec cat")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader reader = holder.inputReader(StandardCharsets.UTF_8);
        if (!"ready".equals(reader.readLine())) {
            throw new IOException("no network namespace could be made");
        }
    }

    long pid() {
        return holder.pid();
    }

    <T> T call(Callable<T> work) throws Exception {
        return NetworkNamespace.ofProcess(holder.pid()).call(work);
    }

    /** A test's step. */
    interface Step {
        void run() throws Exception;
    }

    void run(Step step) throws Exception {
        call(() -> {
            step.run();
            return true;
        });
    }

    @Override
    public void close() {
        holder.destroyForcibly();
    }
}
