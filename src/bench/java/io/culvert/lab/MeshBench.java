// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.lab.Measurement.Metric;
import io.culvert.wireguard.config.PublicKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Measures a full mesh of a thousand peers: rendering its files, and starting one of its nodes. */
final class MeshBench {

    private static final int PEERS = 1000;

    private final List<CulvertBuild> programs;
    private final Measurements measurements;
    private final int rounds;
    private final String privateKey = WireGuardInterface.privateKey();

    MeshBench(List<CulvertBuild> programs, Measurements measurements, int rounds) {
        this.programs = programs;
        this.measurements = measurements;
        this.rounds = rounds;
    }

    void measure(LabNode node) {
        render();
        peers(node.in(Sandbox.MACHINE));
        new EndpointChangeBench(measurements, rounds).measure();
    }

    /** Measures the rendering of the files of one node, and of all nodes. */
    private void render() {
        Path directory = temporary();
        try {
            String file = Files.writeString(directory.resolve("network.yaml"), network(PEERS, "/etc/culvert/mesh.key"))
                    .toString();
            for (CulvertBuild program : programs) {
                List<ResourceUsage> single =
                        usages(rounds, round -> program.command("mesh", "render", "p" + round, "--file", file));
                add(Metric.RENDER, program, single, ResourceUsage::millis);
                add(Metric.RENDER_MEMORY, program, single, ResourceUsage::megabytes);
            }
            String output = directory.resolve("files").toString();
            for (CulvertBuild program : programs) {
                List<ResourceUsage> all =
                        usages(1, _ -> program.command("mesh", "render", "--all", "--output", output, "--file", file));
                add(Metric.RENDER_ALL, program, all, usage -> usage.millis() / 1000);
                add(Metric.RENDER_ALL_MEMORY, program, all, ResourceUsage::megabytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            delete(directory);
        }
    }

    /**
     * Measures {@code mesh up} for networks of two and of {@link #PEERS} + 1 peers, and {@code wg setconf} for the same peers on
     * the existing device, which is the time of the device itself.
     */
    private void peers(LabNode node) {
        String key = node.file("node.key", privateKey + "\n");
        String small = node.file("small.yaml", network(2, key));
        String large = node.file("large.yaml", network(PEERS + 1, key));
        String wg = node.file("large.conf", configuration(PEERS + 1));
        for (CulvertBuild program : programs) {
            double[] additional = new double[rounds];
            double[] device = new double[rounds];
            for (int round = 0; round < rounds; round++) {
                double twoPeers = up(node, program, small);
                device[round] =
                        millis(() -> node.attempt("wg", "setconf", "big", wg).outputOrFail());
                down(node, program);
                additional[round] = Math.max(0, up(node, program, large) - twoPeers);
                down(node, program);
            }
            measurements.add(Measurement.of(Metric.PEERS, program.name(), additional));
            if (program.equals(programs.getLast())) {
                measurements.add(Measurement.of(Metric.PEERS, "wg setconf", device));
            }
        }
    }

    private static double up(LabNode node, CulvertBuild program, String file) {
        return millis(() -> node.attempt(
                        program.command("mesh", "up", "p0", "--file", file).toArray(String[]::new))
                .outputOrFail());
    }

    private static void down(LabNode node, CulvertBuild program) {
        node.attempt(program.command("mesh", "down", "p0").toArray(String[]::new))
                .outputOrFail();
    }

    private void add(
            Metric metric, CulvertBuild program, List<ResourceUsage> usages, ToDoubleFunction<ResourceUsage> value) {
        measurements.add(Measurement.of(
                metric, program.name(), usages.stream().mapToDouble(value).toArray()));
    }

    private interface Command {
        List<String> of(int round);
    }

    private static List<ResourceUsage> usages(int rounds, Command command) {
        return IntStream.range(0, rounds)
                .mapToObj(round -> ResourceUsage.of(command.of(round)))
                .toList();
    }

    /** Returns a full mesh, in which each peer has a key, an endpoint and two addresses. */
    private String network(int peers, String keyFile) {
        StringBuilder text = new StringBuilder(
                "version: v1\nsubnets: [{name: big, endpoints: [{port: 51820}]}]\nconnections: [{a: [], b: []}]\npeers:\n");
        for (int i = 0; i < peers; i++) {
            text.append("""
                    - name: p%d
                      publicKey: %s
                      privateKeyFile: %s
                      subnets: {big: {listenPort: 51820, ipAddresses: [%s/16, auto]}}
                      endpoints: [{ip: %s}]
                    """.formatted(i, publicKey(i), keyFile, address(i), endpointAddress(i))
                    .indent(2));
        }
        return text.toString();
    }

    /** Returns the configuration of the first peer for {@code wg setconf}. */
    private String configuration(int peers) {
        StringBuilder text = new StringBuilder("[Interface]\nPrivateKey = " + privateKey + "\n");
        for (int i = 1; i < peers; i++) {
            text.append("[Peer]\nPublicKey = %s\nAllowedIPs = %s/32\nEndpoint = %s:51820\n"
                    .formatted(publicKey(i), address(i), endpointAddress(i)));
        }
        return text.toString();
    }

    /** Returns a public key; only the first peer has a private key. */
    private String publicKey(int peer) {
        return peer == 0
                ? WireGuardInterface.publicKey(privateKey)
                : new PublicKey(ByteBuffer.allocate(32).putInt(4, peer).array()).toString();
    }

    private static String address(int peer) {
        return "10.8." + peer / 250 + "." + (peer % 250 + 1);
    }

    private static String endpointAddress(int peer) {
        return "198.51.100." + (peer % 250 + 1);
    }

    private static double millis(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) / 1e6;
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("mesh-bench");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path directory) {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
