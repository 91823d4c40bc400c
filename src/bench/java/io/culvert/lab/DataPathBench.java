// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.lab.Comparison.Metric;
import io.culvert.net.Prefix;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Measures what a packet costs, for Tailscale clients, WireGuard clients and the SOCKS5 proxy. In each round the same programs are
 * measured again with the few rules that an exit node needs instead of the kill switch, and in other rounds the sequence of commands
 * that another container of the same purpose runs.
 */
final class DataPathBench {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int SOCKS = 1080;
    private static final int REQUEST_TIMEOUT_MILLIS = 100;
    private static final String SECONDS = "2";
    private static final long PROXY_NANOS = Duration.ofSeconds(2).toNanos();
    private static final int SOURCE_PORT = 9000;
    private static final Path OTHER_CONTAINER =
            Path.of("src/test/lab/bin/others-sequence").toAbsolutePath();
    private static final int ECHO = 7;
    private static final int ROUND_TRIPS = 1000;

    /** A mesh whose client is measured: its interface on the node, and its metrics in the order of {@link #figures}. */
    private record Mesh(String client, String link, List<Metric> metrics) {}

    private static final Mesh TAILSCALE = new Mesh(
            "Tailscale client",
            "tailscale0",
            List.of(
                    Metric.TAILSCALE_DOWN,
                    Metric.TAILSCALE_UP,
                    Metric.TAILSCALE_DOWN_8,
                    Metric.TAILSCALE_UP_8,
                    Metric.TAILSCALE_PACKETS,
                    Metric.TAILSCALE_LATENCY,
                    Metric.TAILSCALE_LATENCY_99,
                    Metric.TAILSCALE_CPU));

    private static final Mesh WIREGUARD = new Mesh(
            "WireGuard client",
            "mesh0",
            List.of(
                    Metric.WIREGUARD_DOWN,
                    Metric.WIREGUARD_UP,
                    Metric.WIREGUARD_DOWN_8,
                    Metric.WIREGUARD_UP_8,
                    Metric.WIREGUARD_PACKETS,
                    Metric.WIREGUARD_LATENCY,
                    Metric.WIREGUARD_LATENCY_99,
                    Metric.WIREGUARD_CPU));

    /** A transfer: megabits per second, and seconds of CPU time of the whole machine per gigabyte. */
    private record Transfer(double rate, double cpu) {}

    private final CulvertBuild program;
    private final Comparisons comparisons;
    private final ProcessMemory memory;
    private final int rounds;

    DataPathBench(CulvertBuild program, Comparisons comparisons, ProcessMemory memory, int rounds) {
        this.program = program;
        this.comparisons = comparisons;
        this.memory = memory;
        this.rounds = rounds;
    }

    /** Measures all; Tailscale only if it was built. */
    void measure() {
        try (Lab lab = Lab.open()) {
            wireGuardClients(lab);
        }
        if (Files.isExecutable(CulvertBuild.CHILDREN.resolve("headscale"))) {
            try (Lab lab = Lab.open()) {
                new TailscaleNode(lab).measure();
            }
        } else {
            System.out.println("Tailscale is not measured: Headscale is not built");
        }
    }

    private void wireGuardClients(Lab lab) {
        LabNode node = lab.node().in(Sandbox.CONTAINER.withWritableSysctl());
        node.wireGuardFile("provider.conf", lab.provider().file());
        Map<String, String> settings = Map.of(
                "CULVERT_MESH",
                "wireguard",
                "CULVERT_MESH_CONFIG",
                node.file("mesh0.conf", lab.client().nodeConfig()),
                "CULVERT_SOCKS",
                "true");
        try (RunningProgram _ = iperfServer(lab);
                RunningProgram culvert =
                        node.startOther(settings, program.command("up").toArray(String[]::new))) {
            culvert.awaitLine(LabNode.READY, TIMEOUT);
            lab.client().useExitNode();
            awaitExit(lab, culvert, Proxy.NO_PROXY);
            rounds(lab, node, culvert, WIREGUARD);
            socks(lab);
        }
    }

    private static RunningProgram iperfServer(Lab lab) {
        return lab.internet().namespace().start("iperf3", "--server", "--bind", Lab.SERVER_IPV4);
    }

    private void rounds(Lab lab, LabNode node, RunningProgram culvert, Mesh mesh) {
        for (int round = 0; round < rounds; round++) {
            double[] withKillSwitch = figures(lab);
            if (round == 0) {
                memory.addAll(culvert, "after load by a " + mesh.client());
            }
            double[] plain = withPlainRules(node, culvert, mesh.link(), () -> figures(lab));
            for (int metric = 0; metric < plain.length; metric++) {
                comparisons.add(mesh.metrics().get(metric), withKillSwitch[metric], plain[metric]);
            }
        }
    }

    /** Measures in the order of a mesh's metrics. */
    private static double[] figures(Lab lab) {
        Transfer down = transfer(lab, "--reverse");
        double up = transfer(lab).rate();
        double downEight = transfer(lab, "--reverse", "--parallel", "8").rate();
        double upEight = transfer(lab, "--parallel", "8").rate();
        double[] roundTrips = roundTrips(lab);
        return new double[] {
            down.rate(),
            up,
            downEight,
            upEight,
            packetRate(lab),
            roundTrips[roundTrips.length / 2],
            roundTrips[roundTrips.length * 99 / 100],
            down.cpu()
        };
    }

    /**
     * Measures with the rules that an exit node needs, and nothing else, while the program is stopped by SIGSTOP; it restores the
     * kill switch afterwards.
     */
    private static <T> T withPlainRules(LabNode node, RunningProgram culvert, String link, Supplier<T> measure) {
        culvert.signal("STOP");
        LabNamespace namespace = node.namespace();
        namespace.run("nft", "delete", "table", "inet", "culvert");
        namespace.run("ip", "-4", "rule", "flush", "protocol", "67");
        namespace.ip("rule add preference 5310 iif " + link + " table 51820");
        namespace.nft("""
                table ip plain { chain source { type nat hook postrouting priority srcnat; oifname "wg0" masquerade; }; }""");
        T measured = measure.get();
        namespace.run("nft", "delete", "table", "ip", "plain");
        namespace.ip("rule delete preference 5310");
        culvert.ignoreEarlierOutput().signal("CONT");
        culvert.awaitLine("kill switch: reverted an external change", TIMEOUT);
        return measured;
    }

    private static Transfer transfer(Lab lab, String... options) {
        long busy = busyTicks();
        JsonObject end = iperf(lab, options);
        double ticks = busyTicks() - busy;
        JsonObject received = end.getJsonObject("sum_received");
        return new Transfer(
                received.getJsonNumber("bits_per_second").doubleValue() / 1e6,
                ticks / 100 / (received.getJsonNumber("bytes").doubleValue() / 1e9));
    }

    /** Returns the packets per second that arrive when a client sends as many as it can. */
    private static double packetRate(Lab lab) {
        JsonObject sum = iperf(lab, "--udp", "--length", "64", "--bitrate", "0").getJsonObject("sum");
        return (sum.getInt("packets") - sum.getInt("lost_packets"))
                / sum.getJsonNumber("seconds").doubleValue();
    }

    private static JsonObject iperf(Lab lab, String... options) {
        List<String> command =
                new ArrayList<>(List.of("iperf3", "--client", Lab.SERVER_IPV4, "--time", SECONDS, "--json"));
        command.addAll(List.of(options));
        return Json.createReader(new StringReader(lab.client().namespace().run(command.toArray(String[]::new))))
                .readObject()
                .getJsonObject("end");
    }

    /** Returns the round trips of small UDP packets, one at a time, in milliseconds, sorted. */
    private static double[] roundTrips(Lab lab) {
        try {
            return lab.client().namespace().call(() -> {
                double[] millis = new double[ROUND_TRIPS];
                try (DatagramSocket socket = new DatagramSocket()) {
                    socket.setSoTimeout((int) TIMEOUT.toMillis());
                    socket.connect(new InetSocketAddress(Prefix.parseAddress(Lab.SERVER_IPV4), ECHO));
                    DatagramPacket packet = new DatagramPacket(new byte[64], 64);
                    for (int trip = 0; trip < ROUND_TRIPS; trip++) {
                        long begin = System.nanoTime();
                        socket.send(packet);
                        socket.receive(packet);
                        millis[trip] = (System.nanoTime() - begin) / 1e6;
                    }
                }
                Arrays.sort(millis);
                return millis;
            });
        } catch (Exception e) {
            throw new AssertionError("measuring round trips", e);
        }
    }

    /** Returns the CPU time of all cores that were not idle, in hundredths of a second (proc_stat(5)). */
    private static long busyTicks() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/stat"))) {
            long[] fields = Arrays.stream(lines.findFirst().orElseThrow().split("\\s+", -1))
                    .skip(1)
                    .mapToLong(Long::parseLong)
                    .toArray();
            // user, nice, system, idle, iowait, irq, softirq
            return fields[0] + fields[1] + fields[2] + fields[5] + fields[6];
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Compares a download through the proxy with the same one through the exit node. */
    private void socks(Lab lab) {
        Proxy proxy = new Proxy(
                Proxy.Type.SOCKS, new InetSocketAddress(Prefix.parseAddress(WireGuardClient.MESH_NODE_IPV4), SOCKS));
        try (ServerSocket source = lab.internet()
                .namespace()
                .call(() -> new ServerSocket(SOURCE_PORT, 8, InetAddress.getByName(Lab.SERVER_IPV4)))) {
            Thread.ofPlatform().daemon().name("source").start(() -> serve(source));
            for (int round = 0; round < rounds; round++) {
                comparisons.add(Metric.SOCKS, download(lab, proxy), download(lab, Proxy.NO_PROXY));
            }
        } catch (Exception e) {
            throw new AssertionError("measuring the proxy", e);
        }
    }

    private static void serve(ServerSocket source) {
        byte[] block = new byte[1 << 17];
        while (!source.isClosed()) {
            try (Socket client = source.accept()) {
                OutputStream out = client.getOutputStream();
                while (true) {
                    out.write(block);
                }
            } catch (IOException e) {
                // The client has received enough, or the measurement has ended.
            }
        }
    }

    private static double download(Lab lab, Proxy proxy) throws Exception {
        return lab.client().namespace().call(() -> {
            try (Socket socket = new Socket(proxy)) {
                socket.connect(new InetSocketAddress(Prefix.parseAddress(Lab.SERVER_IPV4), SOURCE_PORT));
                byte[] block = new byte[1 << 17];
                long begin = System.nanoTime();
                long bytes = 0;
                while (System.nanoTime() - begin < PROXY_NANOS) {
                    bytes += Math.max(0, socket.getInputStream().read(block));
                }
                return bytes * 8e3 / (System.nanoTime() - begin);
            }
        });
    }

    /** Waits until the client's traffic leaves through the provider. Each attempt is a new connection. */
    private static void awaitExit(Lab lab, RunningProgram exitNode, Proxy proxy) {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (!usesProvider(lab, proxy)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the client cannot use the exit node, " + proxy + ":\n" + exitNode.output());
            }
        }
    }

    private static boolean usesProvider(Lab lab, Proxy proxy) {
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

    /** The exit node of a tailnet, and another container with the same programs. */
    private final class TailscaleNode {

        private final Lab lab;
        /** With a writable /proc/sys, which wg-quick needs. */
        private final LabNode node;

        private final Map<String, String> tailscale;
        private final String sockd;

        private TailscaleNode(Lab lab) {
            this.lab = lab;
            this.node = lab.node().in(Sandbox.CONTAINER.withWritableSysctl());
            this.tailscale = lab.headscale().settings("exit", lab.headscale().key());
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

        private void measure() {
            // Logs in once, so that the first login is not measured.
            try (RunningProgram culvert = startCulvert()) {
                lab.phone().useExitNode("exit");
                end(culvert);
            }
            try (RunningProgram _ = iperfServer(lab)) {
                try (RunningProgram culvert = startCulvert()) {
                    awaitDirect(culvert);
                    rounds(lab, node, culvert, TAILSCALE);
                    end(culvert);
                }
                for (int round = 0; round < rounds; round++) {
                    besideOther();
                }
            }
        }

        /** One round of restarts, of Culvert and of the other container. */
        private void besideOther() {
            double[] culvert = restart(this::startCulvert);
            double[] same = restart(() -> startOther(GoProgram.path("wireguard-go")));
            double[] debian = restart(() -> startOther("/usr/bin/wireguard-go"));
            comparisons.add(Metric.TAILSCALE_START, culvert[0], same[0]);
            comparisons.add(Metric.SOCKS_START, culvert[1], same[1]);
            comparisons.add(Metric.TAILSCALE_SEQUENCE, culvert[2], debian[2]);
        }

        /** Returns the milliseconds until a client can use the exit node and until the proxy replies, and the download rate. */
        private double[] restart(Supplier<RunningProgram> starter) {
            String address = lab.headscale().member("exit").addresses().getFirst();
            double[] results = new double[3];
            long begin = System.nanoTime();
            try (RunningProgram child = starter.get()) {
                Thread proxyProbe = Thread.ofPlatform().daemon().start(() -> {
                    awaitExit(
                            lab,
                            child,
                            new Proxy(Proxy.Type.SOCKS, new InetSocketAddress(Prefix.parseAddress(address), SOCKS)));
                    results[1] = (System.nanoTime() - begin) / 1e6;
                });
                awaitExit(lab, child, Proxy.NO_PROXY);
                results[0] = (System.nanoTime() - begin) / 1e6;
                proxyProbe.join();
                if (results[1] == 0) {
                    throw new AssertionError("its proxy did not reply");
                }
                lab.phone().tailscale().awaitDirect("exit");
                results[2] = transfer(lab, "--reverse").rate();
                end(child);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            return results;
        }

        private void awaitDirect(RunningProgram exitNode) {
            awaitExit(lab, exitNode, Proxy.NO_PROXY);
            lab.phone().tailscale().awaitDirect("exit");
        }

        private RunningProgram startCulvert() {
            Map<String, String> settings = new HashMap<>(tailscale);
            settings.put("CULVERT_WIREGUARD_CONFIG", "/etc/wireguard/provider.conf");
            settings.put("CULVERT_SOCKS", "true");
            return node.startOther(settings, program.command("up").toArray(String[]::new));
        }

        private RunningProgram startOther(String wireGuard) {
            // Without DNS, for which wg-quick needs another program.
            node.wireGuardFile(
                    "wg0.conf",
                    lab.provider()
                            .file()
                            .lines()
                            .filter(line -> !line.startsWith("DNS"))
                            .reduce("", (all, line) -> all + line + "\n"));
            Map<String, String> settings = new HashMap<>(tailscale);
            settings.merge("TS_EXTRA_ARGS", "--advertise-exit-node", (all, more) -> all + " " + more);
            settings.put("TS_USERSPACE", "false");
            settings.put("TS_DEBUG_FIREWALL_MODE", "nftables");
            settings.put("TS_TAILSCALED_EXTRA_ARGS", "--port=41641");
            settings.put("WG_QUICK_USERSPACE_IMPLEMENTATION", wireGuard);
            settings.put("PATH", GoProgram.DIRECTORY + ":" + System.getenv("PATH"));
            return node.startOther(settings, OTHER_CONTAINER.toString(), sockd);
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
    }
}
