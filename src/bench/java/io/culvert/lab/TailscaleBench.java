// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Prefix;
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
 * Compares the Tailscale exit node, in alternating rounds, with another container of the same programs, and with itself without
 * the kill switch.
 */
public final class TailscaleBench implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int ROUNDS = Integer.getInteger("rounds", 5);
    private static final int SOCKS = 1080;
    private static final int REQUEST_TIMEOUT_MILLIS = 100;
    private static final String SECONDS = "3";
    private static final Path OTHER_CONTAINER =
            Path.of("src/test/lab/bin/others-sequence").toAbsolutePath();

    private final Lab lab = Lab.open();
    /** With a writable /proc/sys, which wg-quick needs. */
    private final LabNode node = lab.node().in(Sandbox.CONTAINER.withWritableSysctl());

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
            bench.startTimes();
            bench.throughput();
        } catch (AssertionError e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        System.exit(0);
    }

    private RunningProgram startCulvert() {
        Map<String, String> settings = new HashMap<>(tailscale);
        settings.put("CULVERT_WIREGUARD_CONFIG", "/etc/wireguard/provider.conf");
        settings.put("CULVERT_SOCKS", "true");
        return node.start(settings, "up");
    }

    private RunningProgram startOther(String wireGuard) {
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
        return node.startOther(settings, OTHER_CONTAINER.toString(), sockd);
    }

    /** Logs in once, so that the first login is not measured. */
    private void join() {
        try (RunningProgram culvert = startCulvert()) {
            lab.phone().useExitNode("exit");
            end(culvert);
        }
    }

    /**
     * Kills it and removes what it has set up, so that both containers start in the same state; the phone keeps its sessions.
     */
    private void end(RunningProgram exitNode) {
        exitNode.kill();
        node.namespace().nft("flush ruleset");
        for (String family : List.of("-4", "-6")) {
            node.namespace().attempt("ip", family, "rule", "flush");
            node.namespace().run("ip", family, "rule", "add", "preference", "32766", "table", "main");
            node.namespace().attempt("ip", family, "route", "flush", "table", "52");
        }
        node.resolvConf("nameserver " + Lab.ROUTER_IPV4 + "\n");
    }

    private void startTimes() {
        String address = lab.headscale().member("exit").addresses().getFirst();
        double[][] culvert = new double[2][ROUNDS];
        double[][] other = new double[2][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            measureStart(this::startCulvert, address, culvert, round);
            measureStart(() -> startOther(GoProgram.path("wireguard-go")), address, other, round);
        }
        System.out.printf("start of a container that has logged in before, median (least) of %d%n", ROUNDS);
        compare("until a phone can use the exit node again", "ms", culvert[0], other[0]);
        compare("until its proxy replies to the phone", "ms", culvert[1], other[1]);
    }

    private void measureStart(Supplier<RunningProgram> starter, String address, double[][] times, int round) {
        long begin = System.nanoTime();
        try (RunningProgram child = starter.get()) {
            Thread proxyProbe = Thread.ofPlatform().daemon().start(() -> {
                await(child, new Proxy(Proxy.Type.SOCKS, new InetSocketAddress(Prefix.parseAddress(address), SOCKS)));
                times[1][round] = (System.nanoTime() - begin) / 1e6;
            });
            await(child, Proxy.NO_PROXY);
            times[0][round] = (System.nanoTime() - begin) / 1e6;
            proxyProbe.join();
            if (times[1][round] == 0) {
                throw new AssertionError("its proxy did not reply");
            }
            end(child);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits until the phone's traffic leaves through the provider. Each attempt is a new connection. */
    private void await(RunningProgram exitNode, Proxy proxy) {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (!usesProvider(proxy)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the phone cannot use the exit node, " + proxy + ":\n" + exitNode.output());
            }
        }
    }

    private boolean usesProvider(Proxy proxy) {
        try {
            return lab.client().namespace().call(() -> {
                try (Socket socket = new Socket(proxy)) {
                    socket.setSoTimeout(REQUEST_TIMEOUT_MILLIS);
                    socket.connect(
                            new InetSocketAddress(Prefix.parseAddress(Lab.SERVER_IPV4), 80), REQUEST_TIMEOUT_MILLIS);
                    socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                            .contains(lab.provider().publicIpv4());
                }
            });
        } catch (IOException e) {
            return false;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void throughput() {
        double[] withKillSwitch = new double[ROUNDS];
        double[] withoutKillSwitch = new double[ROUNDS];
        double[] otherContainer = new double[ROUNDS];
        try (RunningProgram _ = lab.internet().namespace().start("iperf3", "--server", "--bind", Lab.SERVER_IPV4)) {
            try (RunningProgram culvert = startCulvert()) {
                awaitDirect(culvert);
                for (int round = 0; round < ROUNDS; round++) {
                    withKillSwitch[round] = download();
                    withoutKillSwitch[round] = measureWithoutKillSwitch(culvert, this::download);
                }
                end(culvert);
            }
            try (RunningProgram others = startOther("/usr/bin/wireguard-go")) {
                awaitDirect(others);
                for (int round = 0; round < ROUNDS; round++) {
                    otherContainer[round] = download();
                }
                end(others);
            }
        }
        System.out.printf("exit throughput of one TCP stream to a phone, median (most) of %d%n", ROUNDS);
        compare("with the kill switch, and without it", "Mbit/s", withKillSwitch, withoutKillSwitch);
        compare(
                "with the kill switch, and another container with Debian's wireguard-go",
                "Mbit/s",
                withKillSwitch,
                otherContainer);
    }

    private void awaitDirect(RunningProgram exitNode) {
        await(exitNode, Proxy.NO_PROXY);
        lab.phone().tailscale().awaitDirect("exit");
    }

    /**
     * Measures with only the two rules that an exit node needs, while the program is stopped by SIGSTOP; it restores the kill
     * switch afterwards.
     */
    private double measureWithoutKillSwitch(RunningProgram culvert, Supplier<Double> measure) {
        culvert.signal("STOP");
        node.namespace().run("nft", "delete", "table", "inet", "culvert");
        node.namespace().run("ip", "-4", "rule", "flush", "protocol", "67");
        node.namespace().ip("rule add preference 5310 iif tailscale0 table 51820");
        double measured = measure.get();
        node.namespace().ip("rule delete preference 5310");
        culvert.ignoreEarlierOutput().signal("CONT");
        culvert.awaitLine("kill switch: reverted an external change", TIMEOUT);
        return measured;
    }

    private double download() {
        String json = lab.client()
                .namespace()
                .run("iperf3", "--client", Lab.SERVER_IPV4, "--reverse", "--time", SECONDS, "--omit", "1", "--json");
        return Json.createReader(new StringReader(json))
                        .readObject()
                        .getJsonObject("end")
                        .getJsonObject("sum_received")
                        .getJsonNumber("bits_per_second")
                        .doubleValue()
                / 1e6;
    }

    private static void compare(String label, String unit, double[] culvert, double[] other) {
        System.out.printf(
                "  %-60s %7.0f (%.0f) and %7.0f (%.0f) %s: ratio %.2f%n",
                label,
                median(culvert),
                best(culvert, unit),
                median(other),
                best(other, unit),
                unit,
                median(culvert) / median(other));
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
