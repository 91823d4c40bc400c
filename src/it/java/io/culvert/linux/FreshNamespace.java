// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * An unnamed network namespace: it exists as long as the thread inside, so that nothing is left behind by a crashed
 * test.
 */
public final class FreshNamespace {

    private static final int CLONE_NEWNET = 0x40000000;
    private static final int CLONE_NEWNS = 0x00020000;

    static {
        Native.register(FreshNamespace.class, NativeLibrary.getInstance("libc.so.6"));
    }

    private FreshNamespace() {}

    private static native int unshare(int flags) throws LastErrorException;

    /** The body of a test. */
    public interface Body {
        void run() throws Exception;
    }

    /** Runs the body inside, on a thread of its own, with the loopback link up. */
    public static void inside(Body body) throws Exception {
        FutureTask<Void> task = new FutureTask<>(() -> {
            unshare(CLONE_NEWNET);
            run("ip", "link", "set", "lo", "up");
            body.run();
            return null;
        });
        Thread.ofPlatform().name("fresh netns").start(task);
        try {
            task.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case Exception thrown -> throw thrown;
                case Error thrown -> throw thrown;
                case null, default -> throw e;
            }
        }
    }

    /** Moves the calling thread to a new mount namespace; only for a thread that ends with its test. */
    public static void enterNewMountNamespace() throws IOException, InterruptedException {
        unshare(CLONE_NEWNS);
        sh("mount --make-rprivate /");
    }

    /** Runs a program in the calling thread's namespace, and returns its output; it must succeed. */
    public static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("%s: %s", List.of(command), output).isZero();
        return output;
    }

    /** Calls {@link #run} with a command line without quoting, such as {@code ip link set lo up}. */
    public static String sh(String line) throws IOException, InterruptedException {
        return run(line.split(" "));
    }
}
