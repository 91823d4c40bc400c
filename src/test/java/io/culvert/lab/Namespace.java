package io.culvert.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * A network namespace that exists already, by its name in {@code /run/netns}.
 *
 * @param name as {@code ip netns} knows it
 */
public record Namespace(String name) {

    /** {@code CLONE_NEWNET} (include/uapi/linux/sched.h). */
    private static final int NETWORK = 0x40000000;

    /** Runs a program inside to its end; it must succeed. */
    public String run(String... command) {
        return attempt(command).orFail();
    }

    /** Runs a program inside to its end. */
    public Outcome attempt(String... command) {
        return Outcome.of(inside(List.of(command)));
    }

    /** Starts a program inside. */
    public Child start(String... command) {
        return Child.start(name + " " + command[0], inside(List.of(command)));
    }

    /** The command that runs the given one inside. */
    List<String> inside(List<String> command) {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
        all.addAll(command);
        return all;
    }

    /** Runs lines in the language of {@code ip}, all or up to the first that fails. */
    public void ip(String... lines) {
        Outcome.of(List.of("ip", "-n", name, "-batch", "-"), String.join("\n", lines) + "\n")
                .orFail();
    }

    /** Runs lines in the language of {@code nft} as one transaction. */
    public void nft(String ruleset) {
        Outcome.of(inside(List.of("nft", "-f", "-")), ruleset).orFail();
    }

    /** Writes kernel settings, such as {@code net.ipv4.ip_forward=1}. */
    public void sysctl(String... settings) {
        for (String setting : settings) {
            int equals = setting.indexOf('=');
            Path file = Path.of("/proc/sys", setting.substring(0, equals).replace('.', '/'));
            try {
                call(() -> Files.writeString(file, setting.substring(equals + 1)));
            } catch (Exception e) {
                throw new AssertionError("setting " + setting, e);
            }
        }
    }

    /**
     * Runs Java inside: sockets that it opens stay there for good. On a thread of its own, since every thread that the code
     * would start inherits the namespace: it should open what it needs and return.
     */
    public <T> T call(Callable<T> code) throws Exception {
        FutureTask<T> task = new FutureTask<>(() -> {
            int fd = C.open("/run/netns/" + name, 0);
            try {
                C.setns(fd, NETWORK);
            } finally {
                C.close(fd);
            }
            return code.call();
        });
        Thread.ofPlatform().daemon().name("inside " + name).start(task);
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
