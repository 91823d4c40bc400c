// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Prefix;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The exit node of a tailnet, and another container of the same purpose with the same programs. */
final class TailscaleNode {

    private static final Path OTHER_CONTAINER =
            Path.of("src/test/lab/bin/others-sequence").toAbsolutePath();

    private final Lab lab;
    private final ClientTraffic traffic;
    private final CulvertBuild program;
    /** With a writable /proc/sys, which wg-quick needs. */
    private final LabNode node;

    private final Map<String, String> tailscale;
    private final String sockd;

    TailscaleNode(Lab lab, ClientTraffic traffic, CulvertBuild program) {
        this.lab = lab;
        this.traffic = traffic;
        this.program = program;
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
                    """.formatted(DataPathBench.SOCKS));
    }

    LabNode node() {
        return node;
    }

    /** Logs in once, so that the first login is not measured, and starts Culvert; the phone uses it directly. */
    RunningProgram startConnected() {
        try (RunningProgram culvert = startCulvert()) {
            lab.phone().useExitNode("exit");
            end(culvert);
        }
        RunningProgram culvert = startCulvert();
        traffic.awaitExit(culvert, Proxy.NO_PROXY);
        lab.phone().tailscale().awaitDirect("exit");
        return culvert;
    }

    /** One round of restarts, of Culvert and of the other container. */
    void compareRestarts(Comparisons comparisons) {
        double[] culvert = restart(this::startCulvert);
        double[] same = restart(() -> startOther(GoProgram.path("wireguard-go")));
        double[] debian = restart(() -> startOther("/usr/bin/wireguard-go"));
        comparisons.add(Comparison.TAILSCALE_START, culvert[0], same[0]);
        comparisons.add(Comparison.SOCKS_START, culvert[1], same[1]);
        comparisons.add(Comparison.TAILSCALE_SEQUENCE, culvert[2], debian[2]);
    }

    /** Returns the milliseconds until a client can use the exit node and until the proxy replies, and the download rate. */
    private double[] restart(Supplier<RunningProgram> starter) {
        String address = lab.headscale().member("exit").addresses().getFirst();
        double[] results = new double[3];
        long begin = System.nanoTime();
        try (RunningProgram child = starter.get()) {
            Thread proxyProbe = Thread.ofPlatform().daemon().start(() -> {
                traffic.awaitExit(
                        child,
                        new Proxy(
                                Proxy.Type.SOCKS,
                                new InetSocketAddress(Prefix.parseAddress(address), DataPathBench.SOCKS)));
                results[1] = (System.nanoTime() - begin) / 1e6;
            });
            traffic.awaitExit(child, Proxy.NO_PROXY);
            results[0] = (System.nanoTime() - begin) / 1e6;
            proxyProbe.join();
            if (results[1] == 0) {
                throw new AssertionError("its proxy did not reply");
            }
            lab.phone().tailscale().awaitDirect("exit");
            results[2] = traffic.transfer("--reverse").rate();
            end(child);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return results;
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
    void end(RunningProgram exitNode) {
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
