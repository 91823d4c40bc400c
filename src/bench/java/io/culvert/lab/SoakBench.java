// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Shows whether memory, open files or threads grow while the program runs for long with traffic. The property {@code minutes}
 * sets for how long.
 */
public final class SoakBench {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    /** By then, what is done once after the connect has been done. */
    private static final Duration WARM_UP = Duration.ofMinutes(1);

    private SoakBench() {}

    /** Measures the first of the existing builds, the native one if there is one. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Duration length = Duration.ofMinutes(Integer.getInteger("minutes", 60));
        CulvertBuild program = CulvertBuild.built().getFirst();
        ProcessMemory memory = new ProcessMemory();
        System.out.println(BenchMachine.here());
        try (Lab lab = Lab.open()) {
            LabNode node = lab.node()
                    .in(Sandbox.CONTAINER)
                    .wireGuardFile("provider.conf", lab.provider().file());
            try (RunningProgram culvert = node.startOther(
                            Map.of("CULVERT_MESH", "none"),
                            program.command("up").toArray(String[]::new));
                    ContinuousProbe probe = ContinuousProbe.of(node.namespace(), Family.IPV4)) {
                probe.awaitReply(lab.provider().publicIpv4(), TIMEOUT);
                await(WARM_UP);
                show(culvert, memory, "beginning");
                await(length);
                show(culvert, memory, length.toMinutes() + " min later");
                probe.awaitReply(lab.provider().publicIpv4(), TIMEOUT);
            }
        }
        System.out.println(memory.table());
        System.exit(0);
    }

    private static void show(RunningProgram culvert, ProcessMemory memory, String when) throws IOException {
        memory.addAll(culvert, when);
        Path process = Path.of("/proc/" + culvert.programPid());
        System.out.println(when + ": " + count(process.resolve("fd")) + " open files, " + count(process.resolve("task"))
                + " threads");
    }

    private static long count(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.count();
        }
    }

    private static void await(Duration time) throws InterruptedException {
        new CountDownLatch(1).await(time.toMillis(), TimeUnit.MILLISECONDS);
    }
}
