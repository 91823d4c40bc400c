// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.linux.Privileges;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A program for process 1 of a process namespace: its children each leave an orphan. Prints the numbers of lost exit statuses and of zombies. */
public final class InitProcess {

    private static final int CHILDREN = 20;
    private static final long DEADLINE_NANOS = 10_000_000_000L;

    private InitProcess() {}

    /** @param arguments {@code reap}, or anything else for a control run without the reaper */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Children children = new Children();
        boolean reaper = arguments[0].equals("reap") && Reaper.installAsInit(children);
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < CHILDREN; i++) {
            processes.add(children.start(
                    new ProcessBuilder("/bin/sh", "-c", "(/bin/sleep 0.0" + i % 10 + "; exit 9) & exit " + (100 + i)),
                    Privileges.NONE));
        }
        int lostStatuses = 0;
        for (int i = 0; i < CHILDREN; i++) {
            if (children.await(processes.get(i)) != 100 + i) {
                lostStatuses++;
            }
        }
        int expected = reaper ? 0 : CHILDREN;
        long start = System.nanoTime();
        while ((otherLiveProcesses() > 0 || zombies() != expected) && System.nanoTime() - start < DEADLINE_NANOS) {
            Thread.onSpinWait();
        }
        System.out.println("lost " + lostStatuses + ", zombies " + zombies());
    }

    private static long zombies() throws IOException {
        return states().filter(state -> state == 'Z').count();
    }

    /** Returns the number of live processes other than this one. */
    private static long otherLiveProcesses() throws IOException {
        return states().filter(state -> state != 'Z').count() - 1;
    }

    private static Stream<Character> states() throws IOException {
        try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
            return entries.filter(entry -> entry.getFileName().toString().matches("[0-9]+")).toList().stream()
                    .flatMap(InitProcess::state);
        }
    }

    /** Returns the state, the letter after the name in parentheses (proc_pid_stat(5)). */
    private static Stream<Character> state(Path process) {
        try {
            String stat = Files.readString(process.resolve("stat"));
            return Stream.of(stat.charAt(stat.lastIndexOf(')') + 2));
        } catch (IOException _) {
            return Stream.empty(); // It has exited.
        }
    }
}
