// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.lab.Measurement.Metric;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Measures how long traffic stops when the server in use dies: until it is given up, and until traffic leaves by the next
 * server. What follows the detection is compared with what a health check without Culvert does: a restart of the whole program,
 * and wg-quick, each with the next file.
 */
public final class RecoveryBench implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    /** By then the server has answered a probe, and its round trip is known. */
    private static final Duration SETTLED = Duration.ofSeconds(4);

    private final Comparisons comparisons;
    private final Measurements measurements;
    private final int rounds;
    private final Lab lab = Lab.open(LabOptions.DEFAULTS.providers(2));
    private final Provider first = lab.provider(0);
    private final Provider second = lab.provider(1);

    RecoveryBench(Comparisons comparisons, Measurements measurements, int rounds) {
        this.comparisons = comparisons;
        this.measurements = measurements;
        this.rounds = rounds;
    }

    /** Measures this alone; the property {@code rounds} sets the number of rounds. */
    public static void main(String[] arguments) {
        Comparisons comparisons = new Comparisons();
        System.out.println(BenchMachine.here());
        try (RecoveryBench bench =
                new RecoveryBench(comparisons, new Measurements(), Integer.getInteger("rounds", 15))) {
            bench.measure(CulvertBuild.built());
        }
        System.out.println(comparisons.rows(Comparison.ALL));
        System.exit(0);
    }

    /** Measures each build of the program, and compares the first one with the others' ways. */
    void measure(List<CulvertBuild> programs) {
        for (CulvertBuild program : programs) {
            lab.node().wireGuardFile("provider.conf", first.file()).wireGuardFile("second.conf", second.file());
            double[] switches = failOver(program);
            if (program.equals(programs.getFirst())) {
                for (double time : switches) {
                    comparisons.add(Comparison.FAILOVER, time, restart(program));
                    comparisons.add(Comparison.FAILOVER_WG_QUICK, time, wgQuick());
                }
            }
        }
    }

    /** Returns the times from the detection to traffic by the next server. */
    private double[] failOver(CulvertBuild program) {
        double[] detection = new double[rounds];
        double[] traffic = new double[rounds];
        Map<String, String> settings = Map.of("CULVERT_LEAK_TEST", "off", "CULVERT_SERVER_RETURN", "off");
        LabNode node = lab.node().in(Sandbox.CONTAINER);
        try (RunningProgram culvert = start(program, settings);
                ContinuousProbe probe = ContinuousProbe.of(node.namespace(), Family.IPV4)) {
            for (int round = 0; round < rounds; round++) {
                probe.awaitReply(first.publicIpv4(), TIMEOUT);
                settle();
                culvert.ignoreEarlierOutput();
                long death = System.nanoTime();
                first.blockTraffic();
                culvert.awaitLine("tunnel: no response from", TIMEOUT);
                detection[round] = millisSince(death);
                probe.awaitReply(second.publicIpv4(), TIMEOUT);
                traffic[round] = millisSince(death);
                first.unblockTraffic();
                node.attempt(program.command("use", "provider").toArray(String[]::new))
                        .outputOrFail();
            }
            Bench.stop(lab, culvert);
        }
        measurements.add(Measurement.of(Metric.DETECTION, program.name(), detection));
        measurements.add(Measurement.percentile99(Metric.DETECTION_99, program.name(), detection));
        measurements.add(Measurement.of(Metric.RECOVERY, program.name(), traffic));
        measurements.add(Measurement.percentile99(Metric.RECOVERY_99, program.name(), traffic));
        double[] switches = traffic.clone();
        Arrays.setAll(switches, round -> traffic[round] - detection[round]);
        return switches;
    }

    /** Returns how long a restart of the program with the other file takes until traffic leaves by its server. */
    private double restart(CulvertBuild program) {
        Map<String, String> settings = Map.of("CULVERT_LEAK_TEST", "off");
        Map<String, String> next = new HashMap<>(settings);
        next.put("CULVERT_WIREGUARD_CONFIG", "/etc/wireguard/second.conf");
        LabNode node = lab.node().in(Sandbox.CONTAINER);
        try (RunningProgram culvert = start(program, settings);
                ContinuousProbe probe = ContinuousProbe.of(node.namespace(), Family.IPV4)) {
            culvert.awaitLine("tunnel: connected to " + first.publicIpv4(), TIMEOUT);
            probe.awaitReply(first.publicIpv4(), TIMEOUT);
            long begin = System.nanoTime();
            culvert.signal("TERM");
            culvert.awaitExit(TIMEOUT);
            try (RunningProgram restarted = start(program, next)) {
                probe.awaitReply(second.publicIpv4(), TIMEOUT);
                double time = millisSince(begin);
                Bench.stop(lab, restarted);
                return time;
            }
        }
    }

    /** Returns the same for wg-quick, with the userspace WireGuard that Culvert uses. */
    private double wgQuick() {
        LabNode node = lab.node().in(Sandbox.MACHINE);
        String before = node.file("before0.conf", withoutDns(first));
        String after = node.file("after0.conf", withoutDns(second));
        try (ContinuousProbe probe = ContinuousProbe.of(node.namespace(), Family.IPV4)) {
            wgQuick(node, "up", before);
            probe.awaitReply(first.publicIpv4(), TIMEOUT);
            long begin = System.nanoTime();
            wgQuick(node, "down", before);
            wgQuick(node, "up", after);
            probe.awaitReply(second.publicIpv4(), TIMEOUT);
            double time = millisSince(begin);
            wgQuick(node, "down", after);
            return time;
        }
    }

    private static void wgQuick(LabNode node, String command, String file) {
        node.attempt(
                        "env",
                        "WG_QUICK_USERSPACE_IMPLEMENTATION=" + CulvertBuild.CHILDREN.resolve("wireguard-go"),
                        "wg-quick",
                        command,
                        file)
                .outputOrFail();
    }

    /** For DNS, wg-quick needs another program. */
    private static String withoutDns(Provider provider) {
        return provider.file()
                .lines()
                .filter(line -> !line.startsWith("DNS"))
                .collect(Collectors.joining("\n", "", "\n"));
    }

    private RunningProgram start(CulvertBuild program, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("CULVERT_MESH", "none"));
        settings.putAll(more);
        return lab.node().startOther(settings, program.command("up").toArray(String[]::new));
    }

    private static double millisSince(long begin) {
        return (System.nanoTime() - begin) / 1e6;
    }

    private static void settle() {
        try {
            new CountDownLatch(1).await(SETTLED.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        lab.close();
    }
}
