// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * An existing network namespace, by its name in {@code /run/netns}.
 *
 * @param name as {@code ip netns} knows it
 */
public record LabNamespace(String name) {

    /** include/uapi/linux/sched.h. */
    private static final int CLONE_NEWNET = 0x40000000;

    /** Runs a program inside and returns its output; fails if the program fails. */
    public String run(String... command) {
        return attempt(command).outputOrFail();
    }

    /** Runs a program inside and returns its result. */
    public CommandResult attempt(String... command) {
        return CommandResult.of(inside(List.of(command)));
    }

    /** Starts a program inside. */
    public RunningProgram start(String... command) {
        return RunningProgram.start(name + " " + command[0], inside(List.of(command)));
    }

    /** Returns the command that runs the given one inside. */
    List<String> inside(List<String> command) {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
        all.addAll(command);
        return all;
    }

    /** Runs {@code ip -batch} lines, up to the first that fails. */
    public void ip(String... lines) {
        CommandResult.of(List.of("ip", "-n", name, "-batch", "-"), String.join("\n", lines) + "\n")
                .outputOrFail();
    }

    /** Runs an nft script as one transaction. */
    public void nft(String ruleset) {
        CommandResult.of(inside(List.of("nft", "-f", "-")), ruleset).outputOrFail();
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
     * Runs Java code inside, on a new thread: sockets that it opens stay in the namespace, and threads that it starts inherit
     * it.
     */
    public <T> T call(Callable<T> code) throws Exception {
        FutureTask<T> task = new FutureTask<>(() -> {
            int fd = TestLibc.open("/run/netns/" + name, 0);
            try {
                TestLibc.setns(fd, CLONE_NEWNET);
            } finally {
                TestLibc.close(fd);
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
