// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server that responds from another address or port than its endpoint, as behind some load balancers. */
@NamespaceTest
class ServerRoamingTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private void respondFrom(String address, int port) {
        fixture.lab.provider().respondFrom(address, port);
        fixture.observer.allow(
                "WireGuard to where the server responds from",
                packet -> packet.isUdpTo(address, port) && packet.isWireGuard());
    }

    private void configurationFor(String address) {
        String endpoint = (address.contains(":") ? "[" + address + "]" : address) + ":" + Provider.PORT;
        fixture.configureEndpoint(endpoint);
        fixture.observer.allowWireGuardTo(address, Provider.PORT);
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
    void a_server_that_roams_is_followed_and_logged(String configuredAddress, String respondingAddress, int port) {
        fixture.verifyObserverDetectsLeaks(Family.values());
        configurationFor(configuredAddress);
        respondFrom(respondingAddress, port);

        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine(
                "the server responds from \\Q" + at(respondingAddress, port) + "\\E", ExitNodeFixture.TIMEOUT);

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.status().healthy()).isTrue();
        assertThat(fixture.status().server()).contains("responding from " + at(respondingAddress, port));
        assertThat(fixture.status().killSwitch())
                .containsEntry("nftables", true)
                .containsEntry("routing", true);
    }

    @Test
    void a_server_that_roams_while_the_tunnel_is_up_is_followed() {
        configurationFor("203.0.113.10");
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.status().server()).doesNotContain("responding from");

        respondFrom("203.0.113.11", 51999);

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.status().server()).contains("responding from 203.0.113.11:51999");
        assertThat(culvert.output()).doesNotContain("no response");
    }

    @Test
    void a_server_that_stops_responding_where_it_roamed_to_is_found_at_its_endpoint() {
        configurationFor("203.0.113.10");
        respondFrom("203.0.113.10", 51999);
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("the server responds from", ExitNodeFixture.TIMEOUT);
        fixture.assertLocalTrafficUsesTunnel(Family.values());

        fixture.lab.provider().respondFromEndpoint();

        culvert.ignoreEarlierOutput();
        try (ContinuousProbe _ = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            // It takes 20 seconds until a silent server is given up (WireGuard's timers).
            culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT.multipliedBy(2));
        }
        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.status().server()).doesNotContain("responding from");
    }

    /** As after a long time without packets: later packets are no replies any more. */
    @ParameterizedTest
    @CsvSource({"203.0.113.10, 203.0.113.11", "2001:db8:f::10, 2001:db8:f::11"})
    void a_server_is_followed_after_its_conntrack_entry_has_expired(
            String configuredAddress, String respondingAddress) {
        configurationFor(configuredAddress);
        respondFrom(respondingAddress, 51999);
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("the server responds from", ExitNodeFixture.TIMEOUT);
        fixture.assertLocalTrafficUsesTunnel(Family.values());

        flushConntrack();

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.status().server()).contains("responding from " + at(respondingAddress, 51999));
        assertThat(culvert.output()).doesNotContain("no response");
    }

    /** A delete request without a connection deletes all (linux/netfilter/nfnetlink_conntrack.h). */
    private void flushConntrack() {
        fixture.namespace().run("python3", "-c", """
                import socket, struct
                NETLINK_NETFILTER, CTNETLINK_DELETE, REQUEST_ACK = 12, 1 << 8 | 2, 1 | 4
                with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as kernel:
                    kernel.send(struct.pack('=IHHIIBBH', 20, CTNETLINK_DELETE, REQUEST_ACK, 1, 0, 0, 0, 0))
                    error = struct.unpack_from('=i', kernel.recv(4096), 16)[0]
                    assert error == 0, error
                """);
    }

    /** A host that knows the port and responds is not the server without its key. */
    @Test
    void an_unauthenticated_host_is_not_followed() {
        configurationFor("203.0.113.10");
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        String port = fixture.lab
                .node()
                .attempt("wg", "show", "wg0", "listen-port")
                .out()
                .strip();

        fixture.lab.router().run("python3", "-c", """
                        import socket
                        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                            for length in (148, 92, 64, 32):
                                stranger.sendto(bytes([1, 0, 0, 0]) + bytes(length - 4), ('192.0.2.10', %s))
                        """.formatted(port));

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.status().server()).doesNotContain("responding from");
    }
}
