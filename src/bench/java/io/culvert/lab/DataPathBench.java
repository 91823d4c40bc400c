// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.lab.Comparison.DataPath;
import io.culvert.net.Prefix;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Measures what a packet costs, for Tailscale clients, WireGuard clients and the SOCKS5 proxy. In each round the same programs are
 * measured again with the few rules that an exit node needs instead of the kill switch.
 */
final class DataPathBench {

    static final Duration TIMEOUT = Duration.ofSeconds(60);
    static final int SOCKS = 1080;

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
                tailscaleClients(lab);
            }
        } else {
            System.out.println("Tailscale is not measured: Headscale is not built");
        }
    }

    private void wireGuardClients(Lab lab) {
        LabNode node = lab.node().in(Sandbox.CONTAINER.withWritableSysctl());
        ClientTraffic traffic = new ClientTraffic(lab);
        node.wireGuardFile("provider.conf", lab.provider().file());
        Map<String, String> settings = Map.of(
                "CULVERT_MESH",
                "wireguard",
                "CULVERT_MESH_CONFIG",
                node.file("mesh0.conf", lab.client().nodeConfig()),
                "CULVERT_SOCKS",
                "true");
        try (RunningProgram _ = traffic.iperfServer();
                RunningProgram culvert =
                        node.startOther(settings, program.command("up").toArray(String[]::new))) {
            culvert.awaitLine(LabNode.READY, TIMEOUT);
            lab.client().useExitNode();
            traffic.awaitExit(culvert, Proxy.NO_PROXY);
            comparePlainRules(traffic, node, culvert, Comparison.WIREGUARD_CLIENT, "mesh0");
            socks(traffic);
        }
    }

    private void tailscaleClients(Lab lab) {
        ClientTraffic traffic = new ClientTraffic(lab);
        TailscaleNode node = new TailscaleNode(lab, traffic, program);
        try (RunningProgram _ = traffic.iperfServer()) {
            try (RunningProgram culvert = node.startConnected()) {
                comparePlainRules(traffic, node.node(), culvert, Comparison.TAILSCALE_CLIENT, "tailscale0");
                node.end(culvert);
            }
            for (int round = 0; round < rounds; round++) {
                node.compareRestarts(comparisons);
            }
        }
    }

    private void comparePlainRules(
            ClientTraffic traffic, LabNode node, RunningProgram culvert, String client, String link) {
        for (int round = 0; round < rounds; round++) {
            Map<DataPath, Double> withKillSwitch = traffic.figures();
            if (round == 0) {
                memory.addAll(culvert, "after load by a " + client);
            }
            Map<DataPath, Double> plain = withPlainRules(node, culvert, link, traffic::figures);
            withKillSwitch.forEach((figure, value) ->
                    comparisons.add(figure.of(client), value, Objects.requireNonNull(plain.get(figure))));
        }
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

    /** Compares a download through the proxy with the same one through the exit node. */
    private void socks(ClientTraffic traffic) {
        Proxy proxy = new Proxy(
                Proxy.Type.SOCKS, new InetSocketAddress(Prefix.parseAddress(WireGuardClient.MESH_NODE_IPV4), SOCKS));
        try (ServerSocket _ = traffic.startSource()) {
            for (int round = 0; round < rounds; round++) {
                comparisons.add(Comparison.SOCKS, traffic.download(proxy), traffic.download(Proxy.NO_PROXY));
            }
        } catch (Exception e) {
            throw new AssertionError("measuring the proxy", e);
        }
    }
}
