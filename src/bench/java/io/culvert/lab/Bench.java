// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.lab.Measurement.Metric;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.rtnl.RulesetEvents;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Compares the program, native and on the JVM, with other programs for the same purpose. They alternate in one run on one
 * machine, since only the ratios are valid for other machines.
 */
public final class Bench {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static final int ROUNDS = Integer.getInteger("rounds", 15);

    private static final String WG_QUICK = "wg-quick";

    /** A command that is measured, and the command that reverts it, which is not measured. */
    private record Task(Metric metric, String name, List<String> up, List<String> down) {

        private double measure(LabNode node) {
            long begin = System.nanoTime();
            node.attempt(up.toArray(String[]::new)).outputOrFail();
            double elapsed = millis(System.nanoTime() - begin);
            node.attempt(down.toArray(String[]::new)).outputOrFail();
            return elapsed;
        }
    }

    private final Lab lab;
    private final List<CulvertBuild> programs = CulvertBuild.built();
    private final Measurements measurements = new Measurements();
    private final Comparisons comparisons = new Comparisons();

    private Bench(Lab lab) {
        this.lab = lab;
    }

    /** The property {@code update} is set to update the tables in README.md and docs/figures.md. */
    public static void main(String[] arguments) {
        BenchMachine machine = BenchMachine.here();
        System.out.println(machine);
        ProcessMemory memory = new ProcessMemory();
        try (Lab lab = Lab.open()) {
            Bench bench = new Bench(lab);
            System.out.printf("median (least) of %d%n", ROUNDS);
            bench.tunnelUp();
            bench.exitNodeUp();
            bench.idleMemory(memory);
            new MeshBench(bench.programs, bench.measurements, Math.min(ROUNDS, 5)).measure(lab.node());
            try (RecoveryBench recovery = new RecoveryBench(bench.comparisons, bench.measurements, ROUNDS)) {
                recovery.measure(bench.programs);
            }
            new DataPathBench(bench.programs.getFirst(), bench.comparisons, memory, Math.min(ROUNDS, 5)).measure();
            new FigureTables(machine, bench.measurements, bench.comparisons, memory)
                    .publish(Boolean.getBoolean("update"));
        } catch (AssertionError e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        System.exit(0);
    }

    /** Sets up a tunnel from a file, as wg-quick does. The time to enter the lab's sandbox is subtracted. */
    private void tunnelUp() {
        LabNode node = lab.node().in(Sandbox.MACHINE);
        // Without DNS, for which wg-quick needs another program.
        String file = node.file(
                "bench0.conf",
                lab.provider()
                        .file()
                        .lines()
                        .filter(line -> !line.startsWith("DNS"))
                        .collect(Collectors.joining("\n", "", "\n")));
        List<Task> tasks = new ArrayList<>();
        for (CulvertBuild program : programs) {
            tasks.add(new Task(
                    Metric.UP,
                    program.name(),
                    program.command("tunnel", "up", file),
                    program.command("tunnel", "down", file)));
        }
        Path userspace = CulvertBuild.CHILDREN.resolve("wireguard-go");
        tasks.add(new Task(
                Metric.UP,
                WG_QUICK,
                List.of("env", "WG_QUICK_USERSPACE_IMPLEMENTATION=" + userspace, "wg-quick", "up", file),
                List.of("wg-quick", "down", file)));
        tasks.add(new Task(
                Metric.WIREGUARD,
                "wireguard-go",
                List.of(
                        "sh",
                        "-c",
                        userspace + " bench0 2> /dev/null; until wg show bench0 > /dev/null 2>&1; do :; done"),
                List.of("ip", "link", "delete", "bench0")));
        Task baseline = new Task(Metric.UP, "the lab's sandbox", List.of("true"), List.of("true"));
        double[] overheads = new double[ROUNDS];
        Map<Task, double[]> times = new LinkedHashMap<>();
        // The first run of each fills the file cache.
        tasks.forEach(task -> task.measure(node));
        for (int round = 0; round < ROUNDS; round++) {
            overheads[round] = baseline.measure(node);
            for (Task task : tasks) {
                times.computeIfAbsent(task, _ -> new double[ROUNDS])[round] = task.measure(node);
            }
        }
        double overhead = Measurement.of(Metric.UP, baseline.name(), overheads).median();
        Map<String, double[]> up = new HashMap<>();
        times.forEach((task, values) -> {
            double[] own = Arrays.stream(values)
                    .map(value -> Math.max(0, value - overhead))
                    .toArray();
            measurements.add(Measurement.of(task.metric(), task.name(), own));
            up.put(task.name(), own);
        });
        for (int round = 0; round < ROUNDS; round++) {
            comparisons.add(
                    Comparison.TUNNEL_UP,
                    Objects.requireNonNull(up.get(programs.getFirst().name()))[round],
                    Objects.requireNonNull(up.get(WG_QUICK))[round]);
        }
    }

    /** Measures the start of the whole exit node, also with 10 000 bypass entries, and its CPU time while idle. */
    private void exitNodeUp() {
        lab.node()
                .in(Sandbox.CONTAINER)
                .wireGuardFile("provider.conf", lab.provider().file());
        Map<String, String> settings = Map.of("CULVERT_MESH", "none");
        Map<String, String> withBypasses = new HashMap<>(settings);
        withBypasses.put("CULVERT_BYPASS_FILE", lab.node().file("bypasses", bypasses(10_000)));
        Map<CulvertBuild, Map<Metric, double[]>> results = new LinkedHashMap<>();
        for (int round = 0; round < ROUNDS; round++) {
            for (CulvertBuild program : programs) {
                Map<Metric, double[]> values = results.computeIfAbsent(program, _ -> new LinkedHashMap<>());
                int index = round;
                measureStart(program, settings).forEach((metric, value) -> put(values, metric, index, value));
                try (RunningProgram culvert = run(program, withBypasses)) {
                    put(values, Metric.READY_WITH_BYPASSES, round, readyMillis(culvert));
                    if (round == ROUNDS - 1) {
                        values.put(Metric.IDLE, new double[] {idleCpuMillis(culvert)});
                    }
                    stop(lab, culvert);
                }
            }
        }
        results.forEach((program, values) ->
                values.forEach((metric, each) -> measurements.add(Measurement.of(metric, program.name(), each))));
    }

    /** Measures a start while another container in the same network sends requests, from before the start. */
    private Map<Metric, Double> measureStart(CulvertBuild program, Map<String, String> settings) {
        Map<Metric, Double> values = new LinkedHashMap<>();
        double overhead = sandboxMillis();
        try (SidecarProbe sidecar = SidecarProbe.in(lab.node().namespace());
                RulesetEvents changes = lab.node().namespace().call(() -> RulesetEvents.open(NetlinkSockets.KERNEL))) {
            sidecar.awaitReply(Lab.NODE_IPV4, System.nanoTime(), TIMEOUT);
            long begin = System.nanoTime();
            try (RunningProgram culvert = run(program, settings)) {
                if (!changes.await(TIMEOUT)) {
                    throw new AssertionError("no kill switch: " + culvert.output());
                }
                values.put(Metric.KILL_SWITCH, Math.max(0, millis(System.nanoTime() - begin) - overhead));
                double ready = readyMillis(culvert);
                long firstReply = sidecar.awaitReply(lab.provider().publicIpv4(), begin, TIMEOUT);
                List<Long> leaks = sidecar.replyTimes(Lab.NODE_IPV4, begin);
                values.put(Metric.FIRST_ANSWER, millis(firstReply - begin));
                values.put(Metric.LAST_LEAK, leaks.isEmpty() ? 0 : millis(leaks.getLast() - begin));
                values.put(Metric.LEAKS, (double) leaks.size());
                values.put(Metric.READY, ready);
                stop(lab, culvert);
            }
        } catch (Exception e) {
            throw new AssertionError("measuring a start", e);
        }
        return values;
    }

    /** Returns the time that the lab takes to run a program that does nothing. */
    private double sandboxMillis() {
        long begin = System.nanoTime();
        try (RunningProgram nothing = lab.node().startOther(Map.of(), "true")) {
            nothing.awaitExit(TIMEOUT);
            return millis(System.nanoTime() - begin);
        }
    }

    /** Measures the memory of an idle exit node with its proxy. */
    private void idleMemory(ProcessMemory memory) {
        for (CulvertBuild program : programs) {
            try (RunningProgram culvert = run(program, Map.of("CULVERT_MESH", "none", "CULVERT_SOCKS", "true"))) {
                readyMillis(culvert);
                idleCpuMillis(culvert);
                memory.addAll(culvert, program.name() + ", idle");
                stop(lab, culvert);
            }
        }
    }

    private static void put(Map<Metric, double[]> values, Metric metric, int round, double value) {
        values.computeIfAbsent(metric, _ -> new double[ROUNDS])[round] = value;
    }

    private RunningProgram run(CulvertBuild program, Map<String, String> settings) {
        return lab.node().startOther(settings, program.command("up").toArray(String[]::new));
    }

    /** Stops the program and removes its kill switch, which as process 1 it leaves to the network namespace. */
    static void stop(Lab lab, RunningProgram culvert) {
        culvert.signal("TERM");
        culvert.awaitExit(TIMEOUT);
        lab.node().namespace().nft("flush ruleset");
        for (String family : List.of("-4", "-6")) {
            lab.node().namespace().attempt("ip", family, "rule", "flush", "protocol", "67");
            lab.node().namespace().attempt("ip", family, "route", "flush", "table", "all", "protocol", "67");
        }
    }

    private static double readyMillis(RunningProgram culvert) {
        return Double.parseDouble(
                culvert.awaitLine("ready: .* ([0-9]+) ms after", TIMEOUT).group(1));
    }

    private static String bypasses(int count) {
        return IntStream.range(0, count)
                .mapToObj(number -> "198.51.%d.%d:443/tcp"
                        .formatted(100 + number % 2, number / 2 % 256)
                        .replace("198.51.101", "203.0.113"))
                .distinct()
                .collect(Collectors.joining(","))
                .concat(IntStream.range(0, count - 512)
                        .mapToObj(number -> ",2001:db8:ffff::%x:443"
                                .formatted(number + 1)
                                .replaceFirst("(2001[^,]*):443", "[$1]:443/tcp"))
                        .collect(Collectors.joining()));
    }

    /** Returns the CPU time, in milliseconds, of ten idle seconds. */
    private static double idleCpuMillis(RunningProgram culvert) {
        try {
            // Work after its start ends first.
            new CountDownLatch(1).await(2, TimeUnit.SECONDS);
            Path stat = Path.of("/proc", String.valueOf(culvert.programPid()), "stat");
            long before = ticks(stat);
            new CountDownLatch(1).await(10, TimeUnit.SECONDS);
            return (ticks(stat) - before) * 10.0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Returns user and system time in hundredths of a second (proc_pid_stat(5), fields 14 and 15). */
    private static long ticks(Path stat) throws IOException {
        String text = Files.readString(stat);
        String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
        return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }
}
