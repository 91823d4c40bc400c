// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The port that a provider's gateway, miniupnpd, forwards through the tunnel. */
@NamespaceTest
class ForwardedPortTest {

    private static final String MAPPED = "port forwarding: port ([0-9]+) is forwarded to this node \\((NAT-PMP|PCP)\\)";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private final Path file = fixture.lab.node().run().resolveSibling("forwarded-port");
    private final ExecutorService peers = Executors.newCachedThreadPool();

    @AfterEach
    void closeLab() {
        peers.shutdownNow();
        fixture.close();
    }

    private RunningProgram gateway() throws IOException {
        Provider provider = fixture.lab.provider();
        LabNamespace namespace = provider.namespace();
        namespace.nft("""
                table inet filter {
                  chain miniupnpd { }
                  chain forward { type filter hook forward priority 0; jump miniupnpd; }
                  chain prerouting { type nat hook prerouting priority dstnat; jump prerouting_miniupnpd; }
                  chain postrouting { type nat hook postrouting priority srcnat; jump postrouting_miniupnpd; }
                  chain prerouting_miniupnpd { }
                  chain postrouting_miniupnpd { }
                }
                """);
        // It refuses documentation addresses as its external one, which it only reports to clients.
        Path settings = fixture.lab.node().run().resolveSibling("miniupnpd.conf");
        Files.writeString(settings, """
                ext_ifname=eth0
                ext_ip=1.2.3.4
                listening_ip=%s
                enable_natpmp=yes
                enable_upnp=no
                uuid=00000000-0000-0000-0000-000000000000
                allow 1024-65535 10.64.0.0/24 1024-65535
                deny 0-65535 0.0.0.0/0 0-65535
                """.formatted(provider.tunnelIpv4()));
        return namespace.start(
                "/usr/sbin/miniupnpd",
                "-d",
                "-f",
                settings.toString(),
                "-P",
                settings.resolveSibling("miniupnpd.pid").toString());
    }

    private Map<String, String> settings(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(ExitNodeFixture.withoutMesh(
                Map.of("CULVERT_FORWARDED_PORT", "auto", "CULVERT_FORWARDED_PORT_PATH", file.toString())));
        settings.putAll(more);
        return settings;
    }

    /** Connects from the internet to the provider's public address. */
    private boolean reachesByTcp(int port) throws Exception {
        try (ServerSocket server = fixture.namespace().call(() -> new ServerSocket(port))) {
            server.setSoTimeout(3000);
            Future<Integer> answer =
                    peers.submit(() -> fixture.lab.internet().namespace().call(() -> {
                        try (Socket socket = new Socket()) {
                            socket.connect(
                                    new InetSocketAddress(fixture.lab.provider().publicIpv4(), port), 1500);
                            socket.setSoTimeout(1500);
                            return socket.getInputStream().read();
                        } catch (IOException _) {
                            return -1;
                        }
                    }));
            try (Socket accepted = server.accept()) {
                accepted.getOutputStream().write(42);
            } catch (IOException _) {
                return false;
            }
            return answer.get() == 42;
        }
    }

    private boolean reachesByUdp(int port) throws Exception {
        try (DatagramSocket server = fixture.namespace().call(() -> new DatagramSocket(port));
                DatagramSocket client = fixture.lab.internet().namespace().call(() -> new DatagramSocket())) {
            byte[] text = "hello".getBytes(StandardCharsets.UTF_8);
            client.setSoTimeout(1500);
            server.setSoTimeout(1500);
            client.send(new DatagramPacket(
                    text,
                    text.length,
                    InetAddress.ofLiteral(fixture.lab.provider().publicIpv4()),
                    port));
            DatagramPacket received = new DatagramPacket(new byte[100], 100);
            server.receive(received);
            server.send(new DatagramPacket(text, text.length, received.getSocketAddress()));
            client.receive(new DatagramPacket(new byte[100], 100));
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "pcp"})
    void a_peer_reaches_a_program_at_the_forwarded_port_and_at_no_other(String source) throws Exception {
        try (RunningProgram gateway = gateway()) {
            gateway.awaitLine("[Ll]istening for NAT-PMP/PCP", ExitNodeFixture.TIMEOUT);
            Map<String, String> settings = settings(Map.of("CULVERT_FORWARDED_PORT", source));
            RunningProgram culvert = fixture.connect(settings);
            var mapped = culvert.awaitLine(MAPPED, ExitNodeFixture.TIMEOUT);
            int port = Integer.parseInt(mapped.group(1));
            assertThat(mapped.group(2)).isEqualTo(source.equals("pcp") ? "PCP" : "NAT-PMP");

            CommandResult shown = fixture.run(settings, "port", "--wait", "10");
            assertThat(shown.out()).isEqualTo(port + "\n");
            assertThat(fixture.status().text(Instant.now())).contains("Port:        " + port + " (");
            assertThat(file).hasContent(port + "\n");
            assertThat(reachesByTcp(port)).as("TCP").isTrue();
            assertThat(reachesByUdp(port)).as("UDP").isTrue();

            // The same with a port that is open at the provider only.
            int other = port == 2000 ? 2001 : 2000;
            fixture.lab.provider().namespace().nft("""
                    table inet other {
                      chain prerouting {
                        type nat hook prerouting priority dstnat - 1;
                        iifname "eth0" meta l4proto { tcp, udp } th dport %d dnat ip to %s
                      }
                    }
                    """.formatted(
                            other, fixture.lab.provider().customerIpv4()));
            assertThat(reachesByTcp(other)).isFalse();
            assertThat(reachesByUdp(other)).isFalse();

            CommandResult audit = fixture.run(settings, "audit");
            assertThat(audit.status()).as(audit.out() + audit.err()).isZero();
            assertThat(audit.out()).contains("the forwarded port " + port);

            assertThat(fixture.run(settings, "pause").status()).isZero();
            assertThat(file).doesNotExist();
            culvert.ignoreEarlierOutput();
            assertThat(fixture.run(settings, "resume").status()).isZero();
            culvert.awaitLine(MAPPED, ExitNodeFixture.TIMEOUT);

            culvert.signal("TERM");
            culvert.awaitExit(ExitNodeFixture.TIMEOUT);
            assertThat(file).doesNotExist();
            assertThat(fixture.lab
                            .provider()
                            .namespace()
                            .run("nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd"))
                    .doesNotContain("dnat");
            assertThat(fixture.observer.leaks()).isEmpty();
        }
    }

    @Test
    void a_port_that_the_provider_assigned_is_open_without_a_gateway() throws Exception {
        fixture.lab.provider().namespace().nft("""
                table inet assigned {
                  chain prerouting {
                    type nat hook prerouting priority dstnat - 1;
                    iifname "eth0" meta l4proto { tcp, udp } th dport { 2000, 2001 } dnat ip to %s
                  }
                }
                """.formatted(
                        fixture.lab.provider().customerIpv4()));
        Map<String, String> settings = settings(Map.of("CULVERT_FORWARDED_PORT", "2000"));
        fixture.connect(settings);
        assertThat(fixture.run(settings, "port", "--wait", "10").out()).isEqualTo("2000\n");
        assertThat(reachesByTcp(2000)).isTrue();
        assertThat(reachesByUdp(2000)).isTrue();
        assertThat(reachesByTcp(2001)).isFalse();
        assertThat(reachesByUdp(2001)).isFalse();
        assertThat(fixture.observer.leaks()).isEmpty();
    }
}
