package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.io.IOException;
import java.nio.file.Files;
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

    private static final Path OWN = Path.of("/proc/thread-self/ns/net");

    /** A namespace by its name, as {@code ip netns} keeps them. */
    public static NetworkNamespace named(String name) {
        return new NetworkNamespace(Path.of("/run/netns", name));
    }

    /** The namespace that a process lives in. */
    public static NetworkNamespace ofProcess(long pid) {
        return new NetworkNamespace(Path.of("/proc", Long.toString(pid), "ns", "net"));
    }

    /**
     * Makes a new one that stays as long as this file, in the way of {@code ip netns add}: its directory is a mount that is
     * shared, so that the name is there for services with mounts of their own too.
     *
     * @param directory usually {@code /run/netns}; made where it is not there
     * @param name of a file that is not there
     * @throws SystemCallException where this process may not
     */
    public static NetworkNamespace keep(Path directory, String name) throws IOException {
        Files.createDirectories(directory);
        Mounts.share(directory);
        Path path = Files.createFile(directory.resolve(name));
        try {
            onItsOwn("new netns", () -> {
                try {
                    Libc.unshare(NETWORK);
                } catch (LastErrorException e) {
                    throw SystemCallException.of("unshare", e);
                }
                Mounts.bind(OWN, path);
                return path;
            });
        } catch (RuntimeException e) {
            Files.delete(path);
            throw e;
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return new NetworkNamespace(path);
    }

    /** Makes a new one that lives as long as the calling thread and those that it starts; returns it. */
    public static NetworkNamespace enterNew() {
        try {
            Libc.unshare(NETWORK);
        } catch (LastErrorException e) {
            throw SystemCallException.of("unshare", e);
        }
        return new NetworkNamespace(OWN);
    }

    /** Takes its name away; it lives on as long as there are processes in it. */
    public void forget() throws IOException {
        Mounts.unmount(path);
        Files.deleteIfExists(path);
    }

    /** Whether there is one behind the path, and not a file that a restart of the machine has left. */
    public boolean exists() {
        try {
            return call(() -> true);
        } catch (Exception _) {
            return false;
        }
    }

    /** What tells it from all others: {@code net:[4026531840]}. */
    public String identity() {
        try {
            return call(() -> Files.readSymbolicLink(OWN).toString());
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Does the work inside, on a thread of its own that ends with it, and waits for it.
     *
     * @throws SystemCallException when the namespace cannot be entered
     * @throws Exception what the work throws
     */
    public <T> T call(Callable<T> work) throws Exception {
        return onItsOwn("netns " + path.getFileName(), () -> {
            enter();
            return work.call();
        });
    }

    /** The calling thread is inside from now on, and all that it starts. */
    public void enter() {
        try (Descriptor namespace = Descriptor.open(path, Descriptor.Access.READ)) {
            Libc.setns(namespace.number(), NETWORK);
        } catch (LastErrorException e) {
            throw SystemCallException.of("setns " + path, e);
        }
    }

    private static <T> T onItsOwn(String name, Callable<T> work) throws Exception {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = Thread.ofPlatform().name(name).start(task);
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
}
