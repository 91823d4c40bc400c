package io.culvert.linux;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Runs code inside a named network namespace; sockets and threads that it makes stay inside. */
public final class InNamespace {

    /** include/uapi/linux/sched.h. */
    private static final int CLONE_NEWNET = 0x40000000;

    private InNamespace() {}

    public static <T> T call(String name, Callable<T> work) throws Exception {
        FutureTask<T> task = new FutureTask<>(() -> {
            int fd = Libc.open("/run/netns/" + name, 0);
            try {
                Libc.setns(fd, CLONE_NEWNET);
            } finally {
                Libc.close(fd);
            }
            return work.call();
        });
        Thread.ofPlatform().name("in " + name).start(task);
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }
}
