package io.culvert.lab;

import io.culvert.topology.NetworkFile;
import io.culvert.topology.Topology;
import io.culvert.topology.render.RenderedFile;
import io.culvert.topology.render.WgQuick;
import io.culvert.wireguard.Keys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What a full mesh of many peers costs: files for one node by a program that starts for it, and for all nodes. */
final class MeshBench {

    private static final int ROUNDS = 5;

    private MeshBench() {}

    /** A full mesh; each peer has a key, a name as endpoint and two addresses. */
    static String network(int peers) {
        StringBuilder text =
                new StringBuilder("version: v1\nsubnets:\n  - name: mesh\n    endpoints: [{port: 51820}]\n");
        text.append("peers:\n");
        for (int i = 0; i < peers; i++) {
            text.append("  - name: node").append(i).append('\n');
            text.append("    publicKey: ")
                    .append(Keys.publicOf(Keys.generatePrivate()))
                    .append('\n');
            text.append(
                    "    privateKeyFile: /etc/culvert/mesh.key\n    subnets:\n      mesh:\n        listenPort: 51820\n");
            text.append("        ipAddresses: [10.")
                    .append(i >> 16)
                    .append('.')
                    .append((i >> 8) & 255)
                    .append('.');
            text.append(i & 255)
                    .append("/8, auto]\n    endpoints: [{ip: node")
                    .append(i)
                    .append(".example.net}]\n");
        }
        return text.append("connections: [{a: [], b: []}]\n").toString();
    }

    /**
     * Milliseconds from the start of a program to the end of a node's file, of each round.
     *
     * @param program the command line of a program before {@code mesh render …}
     */
    static double[] oneNode(List<String> program, int peers) throws IOException {
        Path file = Files.writeString(Files.createTempFile("network", ".yaml"), network(peers));
        try {
            double[] rounds = new double[ROUNDS];
            for (int i = 0; i < ROUNDS; i++) {
                List<String> command = new ArrayList<>(program);
                command.addAll(List.of("mesh", "render", "node" + i, "--file", file.toString()));
                long begin = System.nanoTime();
                Outcome.of(command).orFail();
                rounds[i] = (System.nanoTime() - begin) / 1e6;
            }
            return rounds;
        } finally {
            Files.delete(file);
        }
    }

    /** Milliseconds for the text of all nodes' files in this JVM, the reading of the network included; they are not written. */
    static double allNodes(int peers) {
        String text = network(peers);
        long begin = System.nanoTime();
        Topology topology = NetworkFile.parse(Path.of("/etc/culvert/network.yaml"), text)
                .topology()
                .orElseThrow();
        WgQuick wgQuick = new WgQuick(_ -> Optional.empty());
        long characters = topology.peers().stream()
                .map(topology::node)
                .flatMap(Optional::stream)
                .map(wgQuick::files)
                .flatMap(List::stream)
                .map(RenderedFile::text)
                .mapToLong(String::length)
                .sum();
        double millis = (System.nanoTime() - begin) / 1e6;
        System.out.printf("  %d links, %d characters%n", (long) peers * (peers - 1), characters);
        return millis;
    }

    /** @param arguments the command line of the program to be measured, or none for this JVM alone */
    public static void main(String... arguments) throws IOException {
        System.out.printf("  all nodes of 1000: %.0f ms%n", allNodes(1000));
        if (arguments.length > 0) {
            System.out.printf("  one node of 1000: %s ms%n", Arrays.toString(oneNode(List.of(arguments), 1000)));
        }
    }
}
