// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.ExitNodeWithoutKillSwitch;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Observer;
import io.culvert.lab.Probe;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.lab.TcpTransfer;
import io.culvert.lab.WireGuardClient;
import io.culvert.net.Family;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A lab whose node runs the exit node, with clients and an observer that detects leaks. */
final class ExitNodeFixture implements AutoCloseable {

    static final Duration TIMEOUT = Duration.ofSeconds(30);

    static final String PRIVATE_NODE_4 = "10.5.0.10";
    static final String PRIVATE_NODE_6 = "fd05::10";
    static final String PRIVATE_LAN_HOST_4 = "10.5.0.20";
    static final String PRIVATE_LAN_HOST_6 = "fd05::20";

    final Lab lab;
    final Probe node;
    final Probe phone;
    final Observer observer;

    private ExitNodeFixture(LabOptions options) {
        lab = Lab.open(options);
        node = Probe.from(lab.node().namespace());
        phone = Probe.from(lab.client().namespace());
        observer = lab.observe().allowMesh();
        for (int number = 0; number < options.providers(); number++) {
            // If the first DNS query is lost, the name resolves to the address of the other family.
            observer.allowWireGuardTo(lab.provider(number).publicIpv4(), Provider.PORT)
                    .allowWireGuardTo(lab.provider(number).publicIpv6(), Provider.PORT);
        }
        lab.node().wireGuardFile("provider.conf", lab.provider().file());
        lab.node().file("mesh.conf", lab.client().nodeConfig());
    }

    static ExitNodeFixture of(LabOptions options) {
        return new ExitNodeFixture(options);
    }

    ExitNodeFixture in(Sandbox sandbox) {
        lab.node().in(sandbox);
        return this;
    }

    LabNamespace namespace() {
        return lab.node().namespace();
    }

    /** Returns the settings of an exit node with a WireGuard mesh, and additional ones. */
    Map<String, String> settings(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "CULVERT_MESH",
                "wireguard",
                "CULVERT_MESH_CONFIG",
                lab.node().run().resolveSibling("mesh.conf").toString()));
        settings.putAll(more);
        return settings;
    }

    /** Returns the settings of an exit node without a mesh, and additional ones. */
    static Map<String, String> withoutMesh(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("CULVERT_MESH", "none"));
        settings.putAll(more);
        return settings;
    }

    RunningProgram start(Map<String, String> settings) {
        return lab.node().start(settings, "up");
    }

    /** Starts the exit node and waits until the tunnel is connected. */
    RunningProgram connect(Map<String, String> settings) {
        RunningProgram culvert = start(settings);
        culvert.awaitLine("connected to", TIMEOUT);
        return culvert;
    }

    /** Starts a transfer from the node to the provider's address in the tunnel. */
    TcpTransfer transferThroughTunnel() {
        return TcpTransfer.start(
                namespace(), lab.provider().namespace(), lab.provider().tunnelIpv4(), 9000);
    }

    /** Runs a shell script in the node's namespace, which ends at the first error. */
    void shell(String script) {
        namespace().run("sh", "-ec", script);
    }

    CommandResult run(Map<String, String> settings, String... arguments) {
        return lab.node().run(settings, arguments);
    }

    /** Returns the current status of the exit node. */
    StatusReport status() {
        return StatusSocket.query(lab.node().run().resolve("culvert/status.sock"));
    }

    /**
     * Verifies that the observer detects leaks in these families: packets of a local process, and of an exit-node
     * client of a node without a kill switch.
     */
    void verifyObserverDetectsLeaks(Family... families) {
        for (Family family : families) {
            assertThat(observer.sees(() -> node.whoami(family)))
                    .as("the observer sees " + family)
                    .isTrue();
        }
        withoutKillSwitch(() -> {
            for (Family family : families) {
                assertThat(observer.sees(() -> phone.echo(family)))
                        .as("the observer sees the phone's " + family)
                        .isTrue();
            }
        });
    }

    /** Runs a scenario in which the phone exits through the node without a kill switch. */
    void withoutKillSwitch(Runnable scenario) {
        try (ExitNodeWithoutKillSwitch _ = lab.exitNodeWithoutKillSwitch()) {
            scenario.run();
        }
    }

    /** Writes the provider's file, for all traffic, with this endpoint, such as {@code 203.0.113.10:51820}. */
    void configureEndpoint(String endpoint) {
        lab.node().wireGuardFile("provider.conf", lab.provider().file(endpoint, "0.0.0.0/0, ::/0"));
    }

    /** Asserts that local processes appear with the provider's address, and that nothing leaked. */
    void assertLocalTrafficUsesTunnel(Family... families) {
        awaitAddresses();
        for (Family family : families) {
            assertThat(node.whoami(family)).contains(provider(family));
        }
        assertThat(observer.leaks()).isEmpty();
    }

    /**
     * Waits until the kernel, which completes IPv6 addresses in the background, uses all of them; not for long, as it never uses
     * those of a link without a carrier.
     */
    private void awaitAddresses() {
        long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        while (hasTentativeAddress() && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    private boolean hasTentativeAddress() {
        return namespace().run("ip", "-6", "-o", "address", "show", "up").contains("tentative");
    }

    /** Asserts that local processes appear with the provider's address if they reach anything, and that nothing leaked. */
    void assertLocalTrafficUsesTunnelOrNothing(Family... families) {
        for (Family family : families) {
            assertThat(node.whoami(family).orElse(provider(family))).isEqualTo(provider(family));
        }
        assertThat(observer.leaks()).isEmpty();
    }

    /** Asserts that local processes reach nothing, and that nothing leaked. */
    void assertLocalTrafficBlocked(Family... families) {
        assertNothingReachable(families);
        assertThat(observer.leaks()).isEmpty();
    }

    /** Asserts that local processes reach nothing. */
    void assertNothingReachable(Family... families) {
        for (Family family : families) {
            assertThat(node.whoami(family)).isEmpty();
            assertThat(node.echo(family)).isEmpty();
        }
    }

    String provider(Family family) {
        return family == Family.IPV4
                ? lab.provider().publicIpv4()
                : lab.provider().publicIpv6();
    }

    /**
     * Returns everything that the program could leave behind in the kernel and in files, as shown by independent
     * programs.
     */
    String footprint() {
        return footprintWithoutNftables()
                + namespace().run("nft", "list", "ruleset").replaceAll("packets \\d+ bytes \\d+", "");
    }

    /** Returns the same without nftables, where a refused start in a container leaves the kill switch. */
    String footprintWithoutNftables() {
        awaitAddresses();
        StringBuilder footprint = new StringBuilder();
        for (List<String> command : List.of(
                List.of("ip", "-o", "-d", "link"),
                List.of("ip", "-o", "address"),
                List.of("ip", "-4", "rule"),
                List.of("ip", "-6", "rule"),
                List.of("ip", "-4", "route", "show", "table", "all"),
                List.of("ip", "-6", "route", "show", "table", "all"),
                List.of("cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"))) {
            footprint.append(namespace()
                    .run(command.toArray(String[]::new))
                    .replaceAll("(valid_lft|preferred_lft|expires) \\S+", "")
                    .lines()
                    // Learned by the kernel from routers.
                    .filter(line -> !line.contains("proto redirect") && !line.contains(" cache "))
                    .sorted()
                    .reduce("", (text, line) -> text + line + "\n"));
        }
        footprint.append(lab.node().resolvConf());
        try (Stream<java.nio.file.Path> files = Files.walk(lab.node().run())) {
            files.filter(Files::exists)
                    .filter(path -> !Files.isDirectory(path))
                    .map(java.nio.file.Path::toString)
                    .forEach(footprint::append);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return footprint.toString();
    }

    /** Returns the client address that a TCP service reports; empty without a response. */
    static String clientAddressSeenBy(LabNamespace from, String address, int port) {
        String host = address.contains(":") ? "[" + address + "]" : address;
        return from.attempt("curl", "-s", "--max-time", "1", "http://" + host + ":" + port + "/")
                .out()
                .strip();
    }

    /** Starts a TCP service that responds with the client's address. */
    static void serve(LabNamespace namespace, int port) {
        namespace.start("python3", "-u", "-c", """
                        import http.server, socket
                        class Who(http.server.BaseHTTPRequestHandler):
                            def do_GET(self):
                                who = self.client_address[0].removeprefix('::ffff:').encode()
                                self.send_response(200); self.send_header('Content-Length', str(len(who)))
                                self.end_headers(); self.wfile.write(who)
                            def log_message(self, *a): pass
                        class Server(http.server.ThreadingHTTPServer):
                            address_family = socket.AF_INET6
                        server = Server(('::', %d), Who); print('serving'); server.serve_forever()
                        """.formatted(port)).awaitLine("serving", TIMEOUT);
    }

    /**
     * Adds a private network to the node and the LAN host, as the lab's own has documentation addresses: the LAN host
     * serves on port 8000, the node on 8001.
     */
    void addPrivateNetwork() {
        namespace()
                .ip(
                        "address add " + PRIVATE_NODE_4 + "/24 dev eth0",
                        "address add " + PRIVATE_NODE_6 + "/64 dev eth0 nodad");
        lab.lanHost()
                .ip(
                        "address add " + PRIVATE_LAN_HOST_4 + "/24 dev eth0",
                        "address add " + PRIVATE_LAN_HOST_6 + "/64 dev eth0 nodad");
        serve(lab.lanHost(), 8000);
        serve(namespace(), 8001);
    }

    @Override
    public void close() {
        lab.close();
    }

    /** Returns the node's addresses in the mesh, to which the phone sends its DNS queries. */
    static List<String> meshAddresses() {
        return List.of(WireGuardClient.MESH_NODE_IPV4, WireGuardClient.MESH_NODE_IPV6);
    }
}
