// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import com.sun.jna.LastErrorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * A network namespace of this machine. Sockets that a task opens inside belong to it for their lifetime, and so do
 * programs it starts.
 *
 * <p>A thread inherits the namespace of the one that starts it, so the task must not be the first to use virtual
 * threads, parallel streams or a shared pool. {@code /proc/net} is the main thread's: inside, read
 * {@code /proc/thread-self/net}; {@code /proc/sys/net} does follow the thread.
 */
public record NetworkNamespace(Path path) {

    /** {@code CLONE_NEWNET} (include/uapi/linux/sched.h). */
    private static final int CLONE_NEWNET = 0x40000000;

    private static final Path OWN = Path.of("/proc/thread-self/ns/net");

    /** Returns the namespace with a name, as {@code ip netns} keeps them. */
    public static NetworkNamespace named(String name) {
        return new NetworkNamespace(Path.of("/run/netns", name));
    }

    /** Returns the namespace of a process. */
    public static NetworkNamespace ofProcess(long pid) {
        return new NetworkNamespace(Path.of("/proc", Long.toString(pid), "ns", "net"));
    }

    /**
     * Creates a namespace that exists as long as its file, like {@code ip netns add}: the directory is a shared mount,
     * so that services with mount namespaces of their own see the name too.
     *
     * @param directory usually {@code /run/netns}; created if missing
     * @param name of a file that does not exist yet
     * @throws SystemCallException if this process is not permitted to do so
     */
    public static NetworkNamespace createNamed(Path directory, String name) throws IOException {
        Files.createDirectories(directory);
        Mounts.share(directory);
        Path path = Files.createFile(directory.resolve(name));
        try {
            callOnNewThread("new netns", () -> {
                try {
                    Libc.unshare(CLONE_NEWNET);
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

    /** Creates a namespace and enters it; it exists as long as the calling thread and those that it starts. */
    public static NetworkNamespace enterNew() {
        try {
            Libc.unshare(CLONE_NEWNET);
        } catch (LastErrorException e) {
            throw SystemCallException.of("unshare", e);
        }
        return new NetworkNamespace(OWN);
    }

    /** Removes its name; the namespace exists as long as there are processes in it. */
    public void unmount() throws IOException {
        Mounts.unmount(path);
        Files.deleteIfExists(path);
    }

    /** Returns whether the path leads to a namespace, and not to a file left over from before a reboot. */
    public boolean exists() {
        try {
            return call(() -> true);
        } catch (Exception _) {
            return false;
        }
    }

    /** Returns its unique identifier, such as {@code net:[4026531840]}. */
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
     * Runs the task inside, on a thread of its own, and waits for it.
     *
     * @throws SystemCallException if the namespace cannot be entered
     * @throws Exception what the task throws
     */
    public <T> T call(Callable<T> task) throws Exception {
        return callOnNewThread("netns " + path.getFileName(), () -> {
            enter();
            return task.call();
        });
    }

    /** Moves the calling thread inside, and so all that it starts from now on. */
    public void enter() {
        try (Descriptor namespace = Descriptor.open(path, Descriptor.Access.READ)) {
            Libc.setns(namespace.number(), CLONE_NEWNET);
        } catch (LastErrorException e) {
            throw SystemCallException.of("setns " + path, e);
        }
    }

    private static <T> T callOnNewThread(String name, Callable<T> work) throws Exception {
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
