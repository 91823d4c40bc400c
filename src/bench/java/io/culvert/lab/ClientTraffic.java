// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.lab.Comparison.DataPath;
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
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The traffic of a lab's client with a server on the internet. */
record ClientTraffic(Lab lab) {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int REQUEST_TIMEOUT_MILLIS = 100;
    private static final String SECONDS = "2";
    private static final long DOWNLOAD_NANOS = Duration.ofSeconds(2).toNanos();
    private static final int SOURCE_PORT = 9000;
    private static final int ECHO = 7;
    private static final int ROUND_TRIPS = 1000;

    /** A transfer: megabits per second, and seconds of CPU time of the whole machine per gigabyte. */
    record Transfer(double rate, double cpu) {}

    /** Starts the server of {@link #transfer} and {@link #figures}. */
    RunningProgram iperfServer() {
        return lab.internet().namespace().start("iperf3", "--server", "--bind", Lab.SERVER_IPV4);
    }

    Map<DataPath, Double> figures() {
        Transfer down = transfer("--reverse");
        double up = transfer().rate();
        double downEight = transfer("--reverse", "--parallel", "8").rate();
        double upEight = transfer("--parallel", "8").rate();
        double[] roundTrips = roundTrips();
        return Map.of(
                DataPath.DOWN,
                down.rate(),
                DataPath.UP,
                up,
                DataPath.DOWN_8,
                downEight,
                DataPath.UP_8,
                upEight,
                DataPath.PACKETS,
                packetRate(),
                DataPath.LATENCY,
                roundTrips[roundTrips.length / 2],
                DataPath.LATENCY_99,
                roundTrips[roundTrips.length * 99 / 100],
                DataPath.CPU,
                down.cpu());
    }

    /** Measures a TCP transfer with these options of iperf3. */
    Transfer transfer(String... options) {
        long busy = busyTicks();
        JsonObject end = iperf(options);
        double ticks = busyTicks() - busy;
        JsonObject received = end.getJsonObject("sum_received");
        return new Transfer(
                received.getJsonNumber("bits_per_second").doubleValue() / 1e6,
                ticks / 100 / (received.getJsonNumber("bytes").doubleValue() / 1e9));
    }

    /** Returns the packets per second that arrive when a client sends as many as it can. */
    private double packetRate() {
        JsonObject sum = iperf("--udp", "--length", "64", "--bitrate", "0").getJsonObject("sum");
        return (sum.getInt("packets") - sum.getInt("lost_packets"))
                / sum.getJsonNumber("seconds").doubleValue();
    }

    private JsonObject iperf(String... options) {
        List<String> command =
                new ArrayList<>(List.of("iperf3", "--client", Lab.SERVER_IPV4, "--time", SECONDS, "--json"));
        command.addAll(List.of(options));
        return Json.createReader(new StringReader(lab.client().namespace().run(command.toArray(String[]::new))))
                .readObject()
                .getJsonObject("end");
    }

    /** Returns the round trips of small UDP packets, one at a time, in milliseconds, sorted. */
    private double[] roundTrips() {
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

    /** Starts a server that sends without end to each client of {@link #download}. */
    ServerSocket startSource() throws Exception {
        ServerSocket source = lab.internet()
                .namespace()
                .call(() -> new ServerSocket(SOURCE_PORT, 8, InetAddress.getByName(Lab.SERVER_IPV4)));
        Thread.ofPlatform().daemon().name("source").start(() -> serve(source));
        return source;
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

    /** Returns the megabits per second of a download through a proxy, or without one. */
    double download(Proxy proxy) throws Exception {
        return lab.client().namespace().call(() -> {
            try (Socket socket = new Socket(proxy)) {
                socket.connect(new InetSocketAddress(Prefix.parseAddress(Lab.SERVER_IPV4), SOURCE_PORT));
                byte[] block = new byte[1 << 17];
                long begin = System.nanoTime();
                long bytes = 0;
                while (System.nanoTime() - begin < DOWNLOAD_NANOS) {
                    bytes += Math.max(0, socket.getInputStream().read(block));
                }
                return bytes * 8e3 / (System.nanoTime() - begin);
            }
        });
    }

    /** Waits until the client's traffic leaves through the provider. Each attempt is a new connection. */
    void awaitExit(RunningProgram exitNode, Proxy proxy) {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (!usesProvider(proxy)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the client cannot use the exit node, " + proxy + ":\n" + exitNode.output());
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
}
