package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Namespace;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server that answers from another address or port than it is asked at, as behind some load balancers. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class RoamingTest {

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    private Namespace server() {
        return world.lab.provider().space();
    }

    /** Without connection tracking, which would not let it be. */
    private void answerFrom(String address, int port) {
        boolean ipv6 = address.contains(":");
        String own = ipv6 ? world.lab.provider().outer6() : world.lab.provider().outer4();
        String ip = ipv6 ? "ip6" : "ip";
        if (!address.equals(own)) {
            server().ip("address add " + address + (ipv6 ? "/64" : "/28") + " dev eth0 preferred_lft 0"
                    + (ipv6 ? " nodad" : ""));
        }
        server().nft("""
                table inet elsewhere {
                  chain out {
                    type filter hook output priority raw;
                    %1$s saddr %2$s udp sport %4$d notrack %1$s saddr set %3$s udp sport set %5$d
                  }
                  chain in {
                    type filter hook prerouting priority raw;
                    %1$s daddr %3$s udp dport %5$d notrack %1$s daddr set %2$s udp dport set %4$d
                  }
                }
                """.formatted(ip, own, address, Provider.PORT, port));
        world.observer.allow(
                "WireGuard to where the server responds from",
                packet -> packet.isUdpTo(address, port) && packet.isWireGuard());
    }

    private void fileTo(String address) {
        String endpoint = (address.contains(":") ? "[" + address + "]" : address) + ":" + Provider.PORT;
        world.lab.node().wireGuardFile("provider.conf", world.lab.provider().file(endpoint, "0.0.0.0/0, ::/0"));
        world.observer.allowWireGuardTo(address, Provider.PORT);
    }

    private static String at(String address, int port) {
        return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
    }

    @ParameterizedTest
    @CsvSource({
        "203.0.113.10, 203.0.113.10, 51999",
        "203.0.113.10, 203.0.113.11, 51820",
        "2001:db8:f::10, 2001:db8:f::10, 51999",
        "2001:db8:f::10, 2001:db8:f::11, 51820",
        "203.0.113.10, 203.0.113.11, 53"
    })
    void it_is_followed_and_said_since_it_has_proved_its_key(String asked, String answers, int port) {
        world.observerIsNotBlind(Family.values());
        fileTo(asked);
        answerFrom(answers, port);

        Child culvert = world.connect(World.alone(Map.of()));
        culvert.awaitLine("the server responds from \\Q" + at(answers, port) + "\\E", World.SOON);

        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.status().healthy()).isTrue();
        assertThat(world.status().server()).contains("responding from " + at(answers, port));
        assertThat(world.status().guard()).containsEntry("nftables", true).containsEntry("routing", true);
    }

    @Test
    void it_moves_while_the_tunnel_is_up() {
        fileTo("203.0.113.10");
        Child culvert = world.connect(World.alone(Map.of()));
        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.status().server()).doesNotContain("responding from");

        answerFrom("203.0.113.11", 51999);

        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.status().server()).contains("responding from 203.0.113.11:51999");
        assertThat(culvert.output()).doesNotContain("no response");
    }

    /** As after a long silence: what is sent then is no reply any more. */
    @ParameterizedTest
    @CsvSource({"203.0.113.10, 203.0.113.11", "2001:db8:f::10, 2001:db8:f::11"})
    void it_is_followed_when_the_kernel_has_forgotten_what_came_from_it(String asked, String answers) {
        fileTo(asked);
        answerFrom(answers, 51999);
        Child culvert = world.connect(World.alone(Map.of()));
        culvert.awaitLine("the server responds from", World.SOON);
        world.localTrafficGoesByTheProvider(Family.values());

        forgetConnections();

        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.status().server()).contains("responding from " + at(answers, 51999));
        assertThat(culvert.output()).doesNotContain("no response");
    }

    /** A request to delete connections that names none deletes all (linux/netfilter/nfnetlink_conntrack.h). */
    private void forgetConnections() {
        world.space().run("python3", "-c", """
                import socket, struct
                NETLINK_NETFILTER, CTNETLINK_DELETE, REQUEST_ACK = 12, 1 << 8 | 2, 1 | 4
                with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as kernel:
                    kernel.send(struct.pack('=IHHIIBBH', 20, CTNETLINK_DELETE, REQUEST_ACK, 1, 0, 0, 0, 0))
                    error = struct.unpack_from('=i', kernel.recv(4096), 16)[0]
                    assert error == 0, error
                """);
    }

    /** Whoever knows the port, and even answers, is no server without its key. */
    @Test
    void a_stranger_is_not_followed() {
        fileTo("203.0.113.10");
        world.connect(World.alone(Map.of()));
        String port = world.lab
                .node()
                .attempt("wg", "show", "wg0", "listen-port")
                .out()
                .strip();

        world.lab.router().run("python3", "-c", """
                        import socket
                        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                            for length in (148, 92, 64, 32):
                                stranger.sendto(bytes([1, 0, 0, 0]) + bytes(length - 4), ('192.0.2.10', %s))
                        """.formatted(port));

        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.status().server()).doesNotContain("responding from");
    }
}
