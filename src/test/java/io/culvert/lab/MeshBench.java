package io.culvert.lab;

import io.culvert.lab.Figure.What;
import io.culvert.wireguard.PublicKey;
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

/** What a full mesh of a thousand peers costs: its files, and a node of it. */
final class MeshBench {

    private static final int PEERS = 1000;

    private final List<Program> programs;
    private final Figures figures;
    private final int rounds;
    private final String privateKey = WireGuard.privateKey();

    MeshBench(List<Program> programs, Figures figures, int rounds) {
        this.programs = programs;
        this.figures = figures;
        this.rounds = rounds;
    }

    void measure(Node node) {
        render();
        peers(node.in(Box.MACHINE));
        new MigrationBench(figures, rounds).measure();
    }

    /** The files of one node, by a program that starts for it, and of all. */
    private void render() {
        Path directory = temporary();
        try {
            String file = Files.writeString(directory.resolve("network.yaml"), network(PEERS, "/etc/culvert/mesh.key"))
                    .toString();
            for (Program program : programs) {
                List<Cost> one = costs(rounds, round -> program.with("mesh", "render", "p" + round, "--file", file));
                add(What.RENDER, program, one, Cost::millis);
                add(What.RENDER_MEMORY, program, one, Cost::megabytes);
            }
            String output = directory.resolve("files").toString();
            for (Program program : programs) {
                List<Cost> all =
                        costs(1, _ -> program.with("mesh", "render", "--all", "--output", output, "--file", file));
                add(What.RENDER_ALL, program, all, cost -> cost.millis() / 1000);
                add(What.RENDER_ALL_MEMORY, program, all, Cost::megabytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            delete(directory);
        }
    }

    /**
     * The same command for a network of two and of {@link #PEERS} and one, and what {@code wg setconf} takes for those peers on
     * the device that is there then: the device's own time.
     */
    private void peers(Node node) {
        String key = node.file("node.key", privateKey + "\n");
        String small = node.file("small.yaml", network(2, key));
        String large = node.file("large.yaml", network(PEERS + 1, key));
        String wg = node.file("large.conf", configuration(PEERS + 1));
        for (Program program : programs) {
            double[] more = new double[rounds];
            double[] own = new double[rounds];
            for (int round = 0; round < rounds; round++) {
                double few = up(node, program, small);
                own[round] =
                        millis(() -> node.attempt("wg", "setconf", "big", wg).orFail());
                down(node, program);
                more[round] = Math.max(0, up(node, program, large) - few);
                down(node, program);
            }
            figures.add(Figure.of(What.PEERS, program.name(), more));
            if (program.equals(programs.getLast())) {
                figures.add(Figure.of(What.PEERS, "wg setconf", own));
            }
        }
    }

    private static double up(Node node, Program program, String file) {
        return millis(() -> node.attempt(
                        program.with("mesh", "up", "p0", "--file", file).toArray(String[]::new))
                .orFail());
    }

    private static void down(Node node, Program program) {
        node.attempt(program.with("mesh", "down", "p0").toArray(String[]::new)).orFail();
    }

    private void add(What what, Program program, List<Cost> costs, ToDoubleFunction<Cost> figure) {
        figures.add(Figure.of(
                what, program.name(), costs.stream().mapToDouble(figure).toArray()));
    }

    private interface Command {
        List<String> of(int round);
    }

    private static List<Cost> costs(int rounds, Command command) {
        return IntStream.range(0, rounds)
                .mapToObj(round -> Cost.of(command.of(round)))
                .toList();
    }

    /** A full mesh; each peer has a key, a place and two addresses. */
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
                    """.formatted(i, publicKey(i), keyFile, address(i), place(i))
                    .indent(2));
        }
        return text.toString();
    }

    /** The same for {@code wg}, as seen by the first. */
    private String configuration(int peers) {
        StringBuilder text = new StringBuilder("[Interface]\nPrivateKey = " + privateKey + "\n");
        for (int i = 1; i < peers; i++) {
            text.append("[Peer]\nPublicKey = %s\nAllowedIPs = %s/32\nEndpoint = %s:51820\n"
                    .formatted(publicKey(i), address(i), place(i)));
        }
        return text.toString();
    }

    /** The first has a key of its own; nobody has those of the others. */
    private String publicKey(int peer) {
        return peer == 0
                ? WireGuard.publicKey(privateKey)
                : new PublicKey(ByteBuffer.allocate(32).putInt(4, peer).array()).toString();
    }

    private static String address(int peer) {
        return "10.8." + peer / 250 + "." + (peer % 250 + 1);
    }

    private static String place(int peer) {
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
