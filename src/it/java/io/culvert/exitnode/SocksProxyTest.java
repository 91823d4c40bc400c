// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The SOCKS proxy of an exit node, for its clients and its administrator. */
@NamespaceTest
class SocksProxyTest {

    private static final int PORT = 1080;

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private final Probe lanHost = Probe.from(fixture.lab.lanHost());

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private static Map<String, String> startProxy(Map<String, String> more) {
        Map<String, String> settings = ExitNodeFixture.withoutMesh(more);
        settings.put("CULVERT_SOCKS", "true");
        settings.put("CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        return settings;
    }

    private Optional<String> clientAddressThroughProxy(String... options) {
        return lanHost.whoamiBySocks(Lab.NODE_IPV4, PORT, Family.IPV4, options);
    }

    @Test
    void a_trailing_newline_in_a_password_file_is_ignored() {
        String file = fixture.lab.node().file("password", "open sesame\n");
        RunningProgram culvert =
                fixture.connect(startProxy(Map.of("CULVERT_SOCKS_USER", "Anna", "CULVERT_SOCKS_PASSWORD_FILE", file)));
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);

        assertThat(clientAddressThroughProxy("--proxy-user", "Anna:open sesame"))
                .contains(fixture.provider(Family.IPV4));
        assertThat(clientAddressThroughProxy("--proxy-user", "Anna:open")).isEmpty();
        assertThat(clientAddressThroughProxy("--proxy-user", "anna:open sesame"))
                .as("letter case matters, as in the system's files")
                .isEmpty();
        assertThat(clientAddressThroughProxy()).isEmpty();
        assertThat(culvert.output()).doesNotContain("sesame");
    }

    @Test
    void a_proxy_left_by_a_killed_run_is_replaced() {
        fixture.in(Sandbox.MACHINE);
        RunningProgram first = fixture.connect(startProxy(Map.of()));
        first.awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        first.kill();

        RunningProgram second = fixture.connect(startProxy(Map.of()));
        second.awaitLine("^ready", ExitNodeFixture.TIMEOUT);

        assertThat(clientAddressThroughProxy()).contains(fixture.provider(Family.IPV4));
        assertThat(second.output()).doesNotContain("exited unexpectedly");
    }

    /**
     * Sends a datagram by SOCKS5 (RFC 1928, section 7) to the echo server; returns its response after the
     * relay's.
     */
    private String sendDatagram(String proxy, String server, int family) {
        return fixture.lab
                .lanHost()
                .attempt("python3", "-c", """
                        import ipaddress, socket, struct, sys
                        proxy, port, server, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
                        tcp = socket.create_connection((proxy, port), 5)
                        tcp.sendall(b'\\x05\\x01\\x00'); assert tcp.recv(2) == b'\\x05\\x00'
                        none = b'\\x01' + bytes(6) if kind == 4 else b'\\x04' + bytes(18)
                        tcp.sendall(b'\\x05\\x03\\x00' + none)
                        answer = tcp.recv(64); assert answer[1] == 0, answer
                        size = 4 if answer[3] == 1 else 16
                        relay = (str(ipaddress.ip_address(answer[4:4 + size])),
                                 struct.unpack('!H', answer[4 + size:6 + size])[0])
                        udp = socket.socket(socket.AF_INET if size == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
                        udp.settimeout(5)
                        to = ipaddress.ip_address(server)
                        header = b'\\0\\0\\0' + (b'\\x01' if to.version == 4 else b'\\x04') + to.packed + struct.pack('!H', 7)
                        udp.sendto(header + b'who', relay)
                        got = udp.recv(2048)
                        print(relay[0], relay[1], got[10 if got[3] == 1 else 22:].decode())
                        """, proxy, String.valueOf(PORT), server, String.valueOf(family))
                .out()
                .strip();
    }

    @Test
    void UDP_of_remote_clients_uses_the_publishable_ports() {
        Map<String, String> settings = startProxy(Map.of("CULVERT_SOCKS_UDP_PORTS", "4000-4003"));
        settings.put("CULVERT_SOCKS_ALLOW", "192.0.2.0/26 2001:db8:e::/64");
        RunningProgram culvert = fixture.connect(settings);
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);

        assertThat(sendDatagram(Lab.NODE_IPV4, Lab.SERVER_IPV4, 4))
                .matches("192\\.0\\.2\\.10 400[0-3] " + fixture.provider(Family.IPV4));
        assertThat(sendDatagram(Lab.NODE_IPV6, Lab.SERVER_IPV6, 6))
                .matches("2001:db8:e::10 400[0-3] " + fixture.provider(Family.IPV6));
        fixture.observer.allow(
                "the proxy's clients", packet -> packet.isTo(Lab.LAN_HOST_IPV4) || packet.isTo(Lab.LAN_HOST_IPV6));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void UDP_of_clients_in_allowed_local_networks_uses_any_port() {
        fixture.addPrivateNetwork();
        Map<String, String> settings = startProxy(Map.of());
        settings.put("CULVERT_SOCKS_UDP_PORTS", "none");
        settings.put("CULVERT_SOCKS_ALLOW", "10.5.0.0/24");
        fixture.connect(settings).awaitLine("^ready", ExitNodeFixture.TIMEOUT);

        assertThat(sendDatagram(ExitNodeFixture.PRIVATE_NODE_4, Lab.SERVER_IPV4, 4))
                .endsWith(" " + fixture.provider(Family.IPV4));
    }
}
