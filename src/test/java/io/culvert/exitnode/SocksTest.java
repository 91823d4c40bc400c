package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Probe;
import io.culvert.lab.Shape;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The proxy of a chain, as its guests and its owner live with it. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class SocksTest {

    private static final int PORT = 1080;

    private final World world = World.of(Shape.USUAL);
    private final Probe neighbour = Probe.from(world.lab.neighbour());

    @AfterEach
    void closeLab() {
        world.close();
    }

    private static Map<String, String> open(Map<String, String> more) {
        Map<String, String> settings = World.alone(more);
        settings.put("CULVERT_SOCKS", "true");
        settings.put("CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        return settings;
    }

    private Optional<String> seenAs(String... options) {
        return neighbour.whoamiBySocks(Lab.NODE_4, PORT, Family.IPV4, options);
    }

    @Test
    void a_password_from_a_file_that_ends_in_a_newline_is_the_password() {
        String file = world.lab.node().file("password", "open sesame\n");
        Child culvert = world.connect(open(Map.of("CULVERT_SOCKS_USER", "lotte", "CULVERT_SOCKS_PASSWORD_FILE", file)));
        culvert.awaitLine("^ready", World.SOON);

        assertThat(seenAs("--proxy-user", "lotte:open sesame")).contains(world.provider(Family.IPV4));
        assertThat(seenAs("--proxy-user", "lotte:open")).isEmpty();
        assertThat(seenAs()).isEmpty();
        assertThat(culvert.output()).doesNotContain("sesame");
    }

    @Test
    void a_proxy_that_a_killed_run_left_is_replaced() {
        world.in(Box.MACHINE);
        Child first = world.connect(open(Map.of()));
        first.awaitLine("^ready", World.SOON);
        first.kill();

        Child second = world.connect(open(Map.of()));
        second.awaitLine("^ready", World.SOON);

        assertThat(seenAs()).contains(world.provider(Family.IPV4));
        assertThat(second.output()).doesNotContain("exited unexpectedly");
    }

    /**
     * Sends a datagram by SOCKS5 (RFC 1928, section 7) to the server that says who asked; its answer, behind the
     * relay's.
     */
    private String datagram(String proxy, String server, int family) {
        return world.lab
                .neighbour()
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
    void datagrams_from_outside_go_by_ports_that_can_be_published() {
        Map<String, String> settings = open(Map.of("CULVERT_SOCKS_UDP_PORTS", "4000-4003"));
        settings.put("CULVERT_SOCKS_ALLOW", "192.0.2.0/26 2001:db8:e::/64");
        Child culvert = world.connect(settings);
        culvert.awaitLine("^ready", World.SOON);

        assertThat(datagram(Lab.NODE_4, Lab.SERVER_4, 4))
                .matches("192\\.0\\.2\\.10 400[0-3] " + world.provider(Family.IPV4));
        assertThat(datagram(Lab.NODE_6, Lab.SERVER_6, 6))
                .matches("2001:db8:e::10 400[0-3] " + world.provider(Family.IPV6));
        world.observer.allow(
                "the proxy's clients", packet -> packet.isTo(Lab.NEIGHBOUR_4) || packet.isTo(Lab.NEIGHBOUR_6));
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void datagrams_of_an_allowed_local_network_need_no_such_ports() {
        world.givePrivateAddresses();
        Map<String, String> settings = open(Map.of());
        settings.put("CULVERT_SOCKS_UDP_PORTS", "none");
        settings.put("CULVERT_SOCKS_ALLOW", "10.5.0.0/24");
        world.connect(settings).awaitLine("^ready", World.SOON);

        assertThat(datagram(World.PRIVATE_NODE_4, Lab.SERVER_4, 4)).endsWith(" " + world.provider(Family.IPV4));
    }
}
