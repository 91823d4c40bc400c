package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Another network namespace of this machine. Sockets that work opens inside belong to it for good, and so do programs it
 * starts.
 *
 * <p>A thread passes its namespace on to every thread it starts, so the work must not be the first to use virtual threads,
 * parallel streams or a shared pool. And {@code /proc/net} is the main thread's: inside, read {@code /proc/thread-self/net};
 * {@code /proc/sys/net} does follow the thread.
 */
public record NetworkNamespace(Path path) {

    /** {@code CLONE_NEWNET} (include/uapi/linux/sched.h). */
    private static final int NETWORK = 0x40000000;

    /** A namespace by its name, as {@code ip netns} keeps them. */
    public static NetworkNamespace named(String name) {
        return new NetworkNamespace(Path.of("/run/netns", name));
    }

    /** The namespace that a process lives in. */
    public static NetworkNamespace ofProcess(long pid) {
        return new NetworkNamespace(Path.of("/proc", Long.toString(pid), "ns", "net"));
    }

    /**
     * Does the work inside, on a thread of its own that ends with it, and waits for it.
     *
     * @throws SystemCallException when the namespace cannot be entered
     * @throws Exception what the work throws
     */
    public <T> T call(Callable<T> work) throws Exception {
        FutureTask<T> task = new FutureTask<>(() -> {
            enter();
            return work.call();
        });
        Thread thread = Thread.ofPlatform().name("netns " + path.getFileName()).start(task);
        try {
            return task.get();
        } catch (InterruptedException e) {
            thread.interrupt();
            throw e;
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case Exception thrown -> throw thrown;
                case Error thrown -> throw thrown;
                case null, default -> throw e;
            }
        }
    }

    private void enter() {
        try (Descriptor namespace = Descriptor.open(path, Descriptor.Access.READ)) {
            Libc.setns(namespace.number(), NETWORK);
        } catch (LastErrorException e) {
            throw SystemCallException.of("setns " + path, e);
        }
    }
}
