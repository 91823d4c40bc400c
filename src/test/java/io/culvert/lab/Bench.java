package io.culvert.lab;

import io.culvert.ip.Family;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Measures the program against what others do for the same end: always in pairs, taking turns in one run on one machine, since
 * only their ratio means something elsewhere.
 */
public final class Bench {

    private static final Duration DEADLINE = Duration.ofSeconds(30);

    private static final int ROUNDS = Integer.getInteger("rounds", 15);

    /** One way to do the thing, and how to undo it, which is not measured. */
    private record Way(String name, List<String> up, List<String> down) {

        private Duration once(Node node) {
            long begin = System.nanoTime();
            node.attempt(up.toArray(String[]::new)).orFail();
            Duration took = Duration.ofNanos(System.nanoTime() - begin);
            node.attempt(down.toArray(String[]::new)).orFail();
            return took;
        }
    }

    private Bench() {}

    public static void main(String[] arguments) {
        try (Lab lab = Lab.open()) {
            Node node = lab.node().in(Box.MACHINE);
            // Without DNS, for which wg-quick needs another program.
            String file = node.file(
                    "bench0.conf",
                    lab.provider()
                            .file()
                            .lines()
                            .filter(line -> !line.startsWith("DNS"))
                            .collect(Collectors.joining("\n", "", "\n")));
            String program = Node.PROGRAM;
            String userspace = "WG_QUICK_USERSPACE_IMPLEMENTATION="
                    + Path.of(".cache/bin/wireguard-go").toAbsolutePath();
            compare(
                    "bring-up of one file, userspace WireGuard",
                    node,
                    new Way(
                            "culvert tunnel up",
                            List.of(program, "tunnel", "up", file),
                            List.of(program, "tunnel", "down", file)),
                    new Way(
                            "wg-quick up",
                            List.of("env", userspace, "wg-quick", "up", file),
                            List.of("wg-quick", "down", file)));
            start(lab);
        } catch (AssertionError e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        System.exit(0);
    }

    /** The whole exit node: how soon it serves, what 10 000 holes add, and what it costs when nobody uses it. */
    private static void start(Lab lab) {
        lab.node()
                .in(Box.CONTAINER)
                .wireGuardFile("provider.conf", lab.provider().file());
        Probe neighbour = Probe.from(lab.node().space());
        long[] answered = new long[ROUNDS];
        long[] ready = new long[ROUNDS];
        long[] readyWithHoles = new long[ROUNDS];
        int clear = 0;
        String holes = lab.node().file("holes", holes(10_000));
        for (int round = 0; round < ROUNDS; round++) {
            long begin = System.nanoTime();
            try (Child culvert = lab.node().start(Map.of("CULVERT_MESH", "none"), "up")) {
                String who = "";
                while (!who.equals(lab.provider().outer4())) {
                    clear += who.equals(Lab.NODE_4) ? 1 : 0;
                    who = neighbour.whoami(Family.IPV4).orElse("");
                }
                answered[round] = System.nanoTime() - begin;
                ready[round] = readyAfter(culvert);
                culvert.signal("TERM");
                culvert.awaitExit(DEADLINE);
            }
            openGuard(lab);
            try (Child culvert =
                    lab.node().start(Map.of("CULVERT_MESH", "none", "CULVERT_HOLEPUNCH_FILE", holes), "up")) {
                readyWithHoles[round] = readyAfter(culvert);
                if (round == ROUNDS - 1) {
                    idle(culvert);
                }
                culvert.signal("TERM");
                culvert.awaitExit(DEADLINE);
            }
            openGuard(lab);
        }
        System.out.printf("start of the exit node, median (least) of %d%n", ROUNDS);
        print("first request of a process beside it answered through the tunnel", answered);
        System.out.printf("  requests of that process answered with the real address meanwhile: %d%n", clear);
        print("from its plan to ready", ready);
        print("the same with 10 000 holepunch entries", readyWithHoles);
    }

    /** As process 1 the program leaves its guard to the namespace, which stays here. */
    private static void openGuard(Lab lab) {
        lab.node().space().nft("flush ruleset");
        for (String family : List.of("-4", "-6")) {
            lab.node().space().attempt("ip", family, "rule", "flush", "protocol", "67");
        }
    }

    private static long readyAfter(Child culvert) {
        return Long.parseLong(culvert.awaitLine("ready: .* ([0-9]+) ms after", DEADLINE)
                        .group(1))
                * 1_000_000;
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

    /** The processor time of ten seconds in which nothing happens. */
    private static void idle(Child culvert) {
        try {
            Path stat = Path.of("/proc", String.valueOf(culvert.innermost()), "stat");
            long before = ticks(stat);
            new CountDownLatch(1).await(10, TimeUnit.SECONDS);
            System.out.printf("idle for 10 s: %d ms of processor time%n", (ticks(stat) - before) * 10);
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

    private static void compare(String what, Node node, Way ours, Way theirs) {
        long[] a = new long[ROUNDS];
        long[] b = new long[ROUNDS];
        long[] box = new long[ROUNDS];
        Way nothing = new Way("entering the lab's box", List.of("true"), List.of("true"));
        // The first of each warms the file cache.
        ours.once(node);
        theirs.once(node);
        for (int round = 0; round < ROUNDS; round++) {
            a[round] = ours.once(node).toNanos();
            b[round] = theirs.once(node).toNanos();
            box[round] = nothing.once(node).toNanos();
        }
        System.out.printf("%s, median (least) of %d%n", what, ROUNDS);
        print(ours.name(), a);
        print(theirs.name(), b);
        print(nothing.name(), box);
        System.out.printf(
                "  ratio of medians, less the box's: %.2f%n",
                (double) (median(a) - median(box)) / (median(b) - median(box)));
    }

    private static void print(String what, long[] times) {
        System.out.printf(
                "  %-64s %7.1f ms (%.1f)%n",
                what, millis(median(times)), millis(LongStream.of(times).min().orElseThrow()));
    }

    private static long median(long[] times) {
        return LongStream.of(times).sorted().skip(times.length / 2).findFirst().orElseThrow();
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }
}
