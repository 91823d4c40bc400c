package io.culvert.lab;

import io.culvert.ip.Prefix;
import jakarta.json.Json;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;

/**
 * Measures the exit node of a tailnet, in pairs that take turns: against what another container does with the same
 * programs, and against the same chain without its guard.
 */
public final class TailscaleBench implements AutoCloseable {

    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final int ROUNDS = Integer.getInteger("rounds", 5);
    private static final int SOCKS = 1080;
    private static final int KNOCK_MILLIS = 100;
    private static final String SECONDS = "3";
    private static final Path OTHERS =
            Path.of("src/test/lab/bin/others-sequence").toAbsolutePath();

    private final Lab lab = Lab.open();
    /** Where wg-quick may set what it wants. */
    private final Node node = lab.node().in(Box.CONTAINER.withWritableSysctl());

    private final Map<String, String> tailscale =
            lab.headscale().settings("exit", lab.headscale().key());
    private final String sockd;

    private TailscaleBench() {
        node.wireGuardFile("provider.conf", lab.provider().file());
        sockd = node.file("sockd.conf", """
                internal: tailscale0 port = %d
                external: wg0
                socksmethod: none
                clientmethod: none
                client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
                socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
                """.formatted(SOCKS));
    }

    public static void main(String[] arguments) {
        try (TailscaleBench bench = new TailscaleBench()) {
            bench.join();
            bench.start();
            bench.throughput();
        } catch (AssertionError e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        System.exit(0);
    }

    private Child ours() {
        Map<String, String> settings = new HashMap<>(tailscale);
        settings.put("CULVERT_WIREGUARD_CONFIG", "/etc/wireguard/provider.conf");
        settings.put("CULVERT_SOCKS", "true");
        return node.start(settings, "up");
    }

    private Child theirs(String wireGuard) {
        // Without DNS, for which wg-quick needs another program.
        node.wireGuardFile(
                "wg0.conf",
                lab.provider()
                        .file()
                        .lines()
                        .filter(line -> !line.startsWith("DNS"))
                        .collect(Collectors.joining("\n", "", "\n")));
        Map<String, String> settings = new HashMap<>(tailscale);
        settings.merge("TS_EXTRA_ARGS", "--advertise-exit-node", (all, more) -> all + " " + more);
        settings.put("TS_USERSPACE", "false");
        settings.put("TS_DEBUG_FIREWALL_MODE", "nftables");
        settings.put("TS_TAILSCALED_EXTRA_ARGS", "--port=41641");
        settings.put("WG_QUICK_USERSPACE_IMPLEMENTATION", wireGuard);
        settings.put("PATH", GoProgram.DIRECTORY + ":" + System.getenv("PATH"));
        return node.startOther(settings, OTHERS.toString(), sockd);
    }

    /** Once for all, so that what is measured is a container's start, not a node's first login. */
    private void join() {
        try (Child culvert = ours()) {
            lab.phone().useExitNode("exit");
            end(culvert);
        }
    }

    /**
     * At once, as an engine does with what does not end by itself: both find the same, the phone's sessions included.
     */
    private void end(Child chain) {
        chain.kill();
        node.space().nft("flush ruleset");
        for (String family : List.of("-4", "-6")) {
            node.space().attempt("ip", family, "rule", "flush");
            node.space().run("ip", family, "rule", "add", "preference", "32766", "table", "main");
            node.space().attempt("ip", family, "route", "flush", "table", "52");
        }
        node.resolvConf("nameserver " + Lab.ROUTER_4 + "\n");
    }

    private void start() {
        String address = lab.headscale().member("exit").addresses().getFirst();
        double[][] ours = new double[2][ROUNDS];
        double[][] theirs = new double[2][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            once(this::ours, address, ours, round);
            once(() -> theirs(GoProgram.path("wireguard-go")), address, theirs, round);
        }
        System.out.printf("start of the container, its node known before, median (least) of %d%n", ROUNDS);
        compare("until a phone exits by it again", "ms", ours[0], theirs[0]);
        compare("until its proxy answers the phone", "ms", ours[1], theirs[1]);
    }

    private void once(Supplier<Child> chain, String address, double[][] times, int round) {
        long begin = System.nanoTime();
        try (Child child = chain.get()) {
            Thread knocking = Thread.ofPlatform().daemon().start(() -> {
                await(child, new Proxy(Proxy.Type.SOCKS, new InetSocketAddress(Prefix.parseAddress(address), SOCKS)));
                times[1][round] = (System.nanoTime() - begin) / 1e6;
            });
            await(child, Proxy.NO_PROXY);
            times[0][round] = (System.nanoTime() - begin) / 1e6;
            knocking.join();
            if (times[1][round] == 0) {
                throw new AssertionError("its proxy never answered");
            }
            end(child);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits until the phone is taken for the provider. Each attempt is another connection, to which nothing clings. */
    private void await(Child chain, Proxy proxy) {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!isSeenAsProvider(proxy)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("nobody exits by it, " + proxy + ":\n" + chain.output());
            }
        }
    }

    private boolean isSeenAsProvider(Proxy proxy) {
        try {
            return lab.client().space().call(() -> {
                try (Socket socket = new Socket(proxy)) {
                    socket.setSoTimeout(KNOCK_MILLIS);
                    socket.connect(new InetSocketAddress(Prefix.parseAddress(Lab.SERVER_4), 80), KNOCK_MILLIS);
                    socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                            .contains(lab.provider().outer4());
                }
            });
        } catch (IOException e) {
            return false;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void throughput() {
        double[] guarded = new double[ROUNDS];
        double[] plain = new double[ROUNDS];
        double[] old = new double[ROUNDS];
        try (Child _ = lab.internet().space().start("iperf3", "--server", "--bind", Lab.SERVER_4)) {
            try (Child culvert = ours()) {
                awaitDirect(culvert);
                for (int round = 0; round < ROUNDS; round++) {
                    guarded[round] = download();
                    plain[round] = unguarded(culvert, this::download);
                }
                end(culvert);
            }
            try (Child others = theirs("/usr/bin/wireguard-go")) {
                awaitDirect(others);
                for (int round = 0; round < ROUNDS; round++) {
                    old[round] = download();
                }
                end(others);
            }
        }
        System.out.printf("exit throughput of one TCP stream to a phone, median (most) of %d%n", ROUNDS);
        compare("guarded, and the same chain with plain rules", "Mbit/s", guarded, plain);
        compare("guarded, and another container with Debian's wireguard-go", "Mbit/s", guarded, old);
    }

    private void awaitDirect(Child chain) {
        await(chain, Proxy.NO_PROXY);
        lab.phone().tailscale().awaitDirect("exit");
    }

    /**
     * The chain with nothing but the two rules that it needs, while the program sleeps; it puts everything back after
     * that.
     */
    private double unguarded(Child culvert, Supplier<Double> measure) {
        culvert.signal("STOP");
        node.space().run("nft", "delete", "table", "inet", "culvert");
        node.space().run("ip", "-4", "rule", "flush", "protocol", "67");
        node.space().ip("rule add preference 5310 iif tailscale0 table 51820");
        double measured = measure.get();
        node.space().ip("rule delete preference 5310");
        culvert.fromNow().signal("CONT");
        culvert.awaitLine("kill switch: reverted an external change", DEADLINE);
        return measured;
    }

    private double download() {
        String json = lab.client()
                .space()
                .run("iperf3", "--client", Lab.SERVER_4, "--reverse", "--time", SECONDS, "--omit", "1", "--json");
        return Json.createReader(new StringReader(json))
                        .readObject()
                        .getJsonObject("end")
                        .getJsonObject("sum_received")
                        .getJsonNumber("bits_per_second")
                        .doubleValue()
                / 1e6;
    }

    private static void compare(String what, String unit, double[] ours, double[] theirs) {
        System.out.printf(
                "  %-60s %7.0f (%.0f) and %7.0f (%.0f) %s: ratio %.2f%n",
                what,
                median(ours),
                best(ours, unit),
                median(theirs),
                best(theirs, unit),
                unit,
                median(ours) / median(theirs));
    }

    private static double best(double[] values, String unit) {
        return unit.equals("ms")
                ? DoubleStream.of(values).min().orElseThrow()
                : DoubleStream.of(values).max().orElseThrow();
    }

    private static double median(double[] values) {
        return DoubleStream.of(values)
                .sorted()
                .skip(values.length / 2)
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void close() {
        lab.close();
    }
}
