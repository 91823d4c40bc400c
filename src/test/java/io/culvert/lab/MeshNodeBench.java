package io.culvert.lab;

import io.culvert.migration.TwoMachines;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.SecretKey;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What a node of a mesh costs: a thousand peers, and the pause of a download whose way changes. */
public final class MeshNodeBench {

    private static final int ROUNDS = 5;
    private static final int PEERS = 1000;

    private MeshNodeBench() {}

    /** Prints the figures. */
    public static void main(String[] arguments) throws Exception {
        thousandPeers();
        pause();
        System.exit(0);
    }

    /** A download and an upload while a network appears that both sides are on, and while it goes again. */
    private static void pause() throws Exception {
        double[] there = new double[ROUNDS];
        double[] back = new double[ROUNDS];
        double[] after = new double[ROUNDS];
        try (TwoMachines two = new TwoMachines();
                Transfer download =
                        Transfer.begin(two.b().space(), two.a().space(), two.a().inner(), 7000);
                Transfer upload =
                        Transfer.begin(two.a().space(), two.b().space(), two.b().inner(), 7001)) {
            two.a().migrate(two.b());
            for (int round = 0; round < ROUNDS; round++) {
                two.lab().plug(1);
                download.longestPause();
                upload.longestPause();
                after[round] = time(() -> {
                    two.lab().plug(0);
                    two.a().awaitNews("moved to " + MeshLab.lan4(1));
                });
                there[round] = longest(download, upload);
                two.lab().unplug(0);
                two.a().awaitNews("moved to " + MeshLab.public4(1));
                back[round] = longest(download, upload);
                two.lab().unplug(1);
            }
            upload.finish();
            download.finish();
        }
        print("moved after the cable is in", after);
        print("pause, to the LAN", there);
        print("pause, from the LAN", back);
    }

    private static double longest(Transfer one, Transfer other) {
        one.awaitMore();
        other.awaitMore();
        return Math.max(one.longestPause().toNanos(), other.longestPause().toNanos()) / 1e6;
    }

    /** The whole command against {@code wg setconf} of the same peers on a device that is there already: the kernel's own time. */
    private static void thousandPeers() {
        try (Lab lab = Lab.open()) {
            Node node = lab.node().in(Box.MACHINE);
            List<SecretKey> keys = new ArrayList<>();
            for (int i = 0; i <= PEERS; i++) {
                byte[] bytes = ByteBuffer.allocate(32).putInt(4, i + 1).array();
                bytes[31] = 64;
                keys.add(new SecretKey(bytes));
            }
            String key = node.file(
                    "node.key",
                    Base64.getEncoder().encodeToString(keys.getFirst().bytes()) + "\n");
            StringBuilder network = new StringBuilder(
                    "version: v1\nsubnets: [{name: big, endpoints: [{port: 51820}]}]\nconnections: [{a: [], b: []}]\npeers:\n");
            StringBuilder wg = new StringBuilder("[Interface]\nPrivateKey = "
                    + Base64.getEncoder().encodeToString(keys.getFirst().bytes()) + "\n");
            for (int i = 0; i <= PEERS; i++) {
                String address = "10.8." + (i / 250) + "." + (i % 250 + 1);
                network.append(
                        "  - {name: p%d, publicKey: %s, privateKeyFile: %s, subnets: {big: {listenPort: 51820, ipAddresses: [%s/16, auto]}}, endpoints: [{ip: 198.51.%d.%d}]}\n"
                                .formatted(i, Keys.publicOf(keys.get(i)), key, address, 100, i % 250 + 1));
                if (i > 0) {
                    wg.append("[Peer]\nPublicKey = %s\nAllowedIPs = %s/32\nEndpoint = 198.51.100.%d:51820\n"
                            .formatted(Keys.publicOf(keys.get(i)), address, i % 250 + 1));
                }
            }
            String file = node.file("network.yaml", network.toString());
            String conf = node.file("big.conf", wg.toString());
            String one = node.file(
                    "one.yaml", network.toString().lines().limit(6).collect(Collectors.joining("\n", "", "\n")));
            double[] big = new double[ROUNDS];
            double[] small = new double[ROUNDS];
            double[] own = new double[ROUNDS];
            for (int round = 0; round < ROUNDS; round++) {
                small[round] = time(() -> up(node, one));
                own[round] =
                        time(() -> node.attempt("wg", "setconf", "big", conf).orFail());
                down(node);
                big[round] = time(() -> up(node, file));
                down(node);
            }
            print("node up, 1 peer", small);
            print("node up, 1 000 peers", big);
            print("wg setconf, 1 000 peers", own);
            double beyond = median(big) - median(small) - median(own);
            System.out.printf("1 000 peers beyond the device's own time: %.0f ms%n", beyond);
        }
    }

    private static void up(Node node, String file) {
        Outcome outcome = node.run(Map.of(), "mesh", "up", "p0", "--file", file);
        if (outcome.status() != 0) {
            throw new AssertionError(outcome.err());
        }
    }

    private static void down(Node node) {
        node.run(Map.of(), "mesh", "down", "p0").orFail();
    }

    private static double time(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) / 1e6;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static void print(String what, double[] values) {
        System.out.printf("%-32s %6.0f ms  %s%n", what, median(values), Arrays.toString(values));
    }
}
