package io.culvert.lab;

import io.culvert.lab.Figure.What;
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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Measures the program, natively compiled and on the JVM, against what others do for the same end: always taking turns in one
 * run on one machine, since only their ratios mean something elsewhere.
 */
public final class Bench {

    private static final Duration DEADLINE = Duration.ofSeconds(30);

    private static final int ROUNDS = Integer.getInteger("rounds", 15);

    /** One way to do the thing, and how to undo it, which is not measured. */
    private record Way(What what, String name, List<String> up, List<String> down) {

        private double once(Node node) {
            long begin = System.nanoTime();
            node.attempt(up.toArray(String[]::new)).orFail();
            double took = millis(System.nanoTime() - begin);
            node.attempt(down.toArray(String[]::new)).orFail();
            return took;
        }
    }

    private final Lab lab;
    private final List<Program> programs = Program.built();
    private final Figures figures = new Figures();

    private Bench(Lab lab) {
        this.lab = lab;
    }

    /** The property {@code figures} names the file whose table of figures is brought up to date. */
    public static void main(String[] arguments) {
        try (Lab lab = Lab.open()) {
            Bench bench = new Bench(lab);
            System.out.printf("median (least) of %d%n", ROUNDS);
            bench.bringUp();
            bench.start();
            new MeshBench(bench.programs, bench.figures, Math.min(ROUNDS, 5)).measure(lab.node());
            bench.figures.write();
            String file = System.getProperty("figures", "");
            if (!file.isEmpty() && !bench.figures.putInto(Path.of(file))) {
                System.out.println(file + " keeps its figures: the native program is not built ('make native')");
            }
        } catch (AssertionError e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        System.exit(0);
    }

    /** A tunnel from a file, as wg-quick does it. What entering the lab's box takes is left out. */
    private void bringUp() {
        Node node = lab.node().in(Box.MACHINE);
        // Without DNS, for which wg-quick needs another program.
        String file = node.file(
                "bench0.conf",
                lab.provider()
                        .file()
                        .lines()
                        .filter(line -> !line.startsWith("DNS"))
                        .collect(Collectors.joining("\n", "", "\n")));
        List<Way> ways = new ArrayList<>();
        for (Program program : programs) {
            ways.add(new Way(
                    What.UP, program.name(), program.with("tunnel", "up", file), program.with("tunnel", "down", file)));
        }
        Path userspace = Program.CHILDREN.resolve("wireguard-go");
        ways.add(new Way(
                What.UP,
                "wg-quick",
                List.of("env", "WG_QUICK_USERSPACE_IMPLEMENTATION=" + userspace, "wg-quick", "up", file),
                List.of("wg-quick", "down", file)));
        ways.add(new Way(
                What.WIREGUARD,
                "wireguard-go",
                List.of(
                        "sh",
                        "-c",
                        userspace + " bench0 2> /dev/null; until wg show bench0 > /dev/null 2>&1; do :; done"),
                List.of("ip", "link", "delete", "bench0")));
        Way box = new Way(What.UP, "the lab's box", List.of("true"), List.of("true"));
        double[] entering = new double[ROUNDS];
        Map<Way, double[]> took = new LinkedHashMap<>();
        // The first of each warms the file cache.
        ways.forEach(way -> way.once(node));
        for (int round = 0; round < ROUNDS; round++) {
            entering[round] = box.once(node);
            for (Way way : ways) {
                took.computeIfAbsent(way, _ -> new double[ROUNDS])[round] = way.once(node);
            }
        }
        double usual = Figure.of(What.UP, box.name(), entering).median();
        took.forEach((way, times) -> figures.add(Figure.of(
                way.what(),
                way.name(),
                Arrays.stream(times).map(time -> Math.max(0, time - usual)).toArray())));
    }

    /** The whole exit node: how soon it serves, what 10 000 holes add, and what it costs when nobody uses it. */
    private void start() {
        lab.node()
                .in(Box.CONTAINER)
                .wireGuardFile("provider.conf", lab.provider().file());
        Map<String, String> settings = Map.of("CULVERT_MESH", "none");
        Map<String, String> withHoles = new HashMap<>(settings);
        withHoles.put("CULVERT_HOLEPUNCH_FILE", lab.node().file("holes", holes(10_000)));
        Map<Program, Map<What, double[]>> all = new LinkedHashMap<>();
        for (int round = 0; round < ROUNDS; round++) {
            for (Program program : programs) {
                Map<What, double[]> values = all.computeIfAbsent(program, _ -> new LinkedHashMap<>());
                int at = round;
                once(program, settings).forEach((what, value) -> put(values, what, at, value));
                try (Child culvert = run(program, withHoles)) {
                    put(values, What.READY_WITH_HOLES, round, readyAfter(culvert));
                    if (round == ROUNDS - 1) {
                        values.put(What.IDLE, new double[] {idle(culvert)});
                    }
                    stop(culvert);
                }
            }
        }
        all.forEach((program, values) ->
                values.forEach((what, each) -> figures.add(Figure.of(what, program.name(), each))));
    }

    /** A neighbour asks before the program starts, as in a container that was there first, and goes on. */
    private Map<What, Double> once(Program program, Map<String, String> settings) {
        Map<What, Double> values = new LinkedHashMap<>();
        try (Neighbour neighbour = Neighbour.in(lab.node().space())) {
            neighbour.awaitAnswer(Lab.NODE_4, System.nanoTime(), DEADLINE);
            long begin = System.nanoTime();
            try (Child culvert = run(program, settings)) {
                double ready = readyAfter(culvert);
                long first = neighbour.awaitAnswer(lab.provider().outer4(), begin, DEADLINE);
                List<Long> leaks = neighbour.answers(Lab.NODE_4, begin);
                values.put(What.FIRST_ANSWER, millis(first - begin));
                values.put(What.LAST_LEAK, leaks.isEmpty() ? 0 : millis(leaks.getLast() - begin));
                values.put(What.LEAKS, (double) leaks.size());
                values.put(What.READY, ready);
                stop(culvert);
            }
        }
        return values;
    }

    private static void put(Map<What, double[]> values, What what, int round, double value) {
        values.computeIfAbsent(what, _ -> new double[ROUNDS])[round] = value;
    }

    private Child run(Program program, Map<String, String> settings) {
        return lab.node().startOther(settings, program.with("up").toArray(String[]::new));
    }

    /** As process 1 the program leaves its guard to the namespace, which stays here. */
    private void stop(Child culvert) {
        culvert.signal("TERM");
        culvert.awaitExit(DEADLINE);
        lab.node().space().nft("flush ruleset");
        for (String family : List.of("-4", "-6")) {
            lab.node().space().attempt("ip", family, "rule", "flush", "protocol", "67");
            lab.node().space().attempt("ip", family, "route", "flush", "table", "all", "protocol", "67");
        }
    }

    private static double readyAfter(Child culvert) {
        return Double.parseDouble(
                culvert.awaitLine("ready: .* ([0-9]+) ms after", DEADLINE).group(1));
    }

    private static String holes(int count) {
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

    /** The processor time, in milliseconds, of ten seconds in which nothing happens. */
    private static double idle(Child culvert) {
        try {
            // What its own start has stirred up comes to rest first.
            new CountDownLatch(1).await(2, TimeUnit.SECONDS);
            Path stat = Path.of("/proc", String.valueOf(culvert.innermost()), "stat");
            long before = ticks(stat);
            new CountDownLatch(1).await(10, TimeUnit.SECONDS);
            return (ticks(stat) - before) * 10.0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** User and system time in hundredths of a second (proc_pid_stat(5), fields 14 and 15). */
    private static long ticks(Path stat) throws IOException {
        String text = Files.readString(stat);
        String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
        return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }
}
