// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.ReceivedQuery;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Another machine of the node's network that has the node as its gateway. */
@NamespaceTest
class GatewayTest {

    /** Further addresses of the LAN host, which are not listed. */
    private static final String UNLISTED_IPV4 = "192.0.2.21";

    private static final String UNLISTED_IPV6 = "2001:db8:e::21";

    /** An address without a resolver. */
    private static final String NO_RESOLVER = "198.51.100.99";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private final LabNamespace lanHost = fixture.lab.lanHost();
    private final Probe client = Probe.from(lanHost);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private static Map<String, String> settings() {
        return ExitNodeFixture.withoutMesh(Map.of(
                "CULVERT_GATEWAY", "true", "CULVERT_GATEWAY_CLIENTS", Lab.LAN_HOST_IPV4 + ", " + Lab.LAN_HOST_IPV6));
    }

    private void useGateway() {
        lanHost.ip(
                "route replace default via " + Lab.NODE_IPV4 + " src " + Lab.LAN_HOST_IPV4,
                "route replace default via " + Lab.NODE_IPV6 + " src " + Lab.LAN_HOST_IPV6 + "",
                "address add " + UNLISTED_IPV4 + "/26 dev eth0",
                "address add " + UNLISTED_IPV6 + "/64 dev eth0 nodad preferred_lft 0");
    }

    /** Without Culvert, a machine that forwards: the observer sees the client's packets leave. */
    private void verifyObserverDetectsLeaks() {
        fixture.namespace()
                .sysctl(
                        "net.ipv4.conf.all.send_redirects=0",
                        "net.ipv4.conf.eth0.send_redirects=0",
                        "net.ipv4.ip_forward=1",
                        "net.ipv6.conf.all.forwarding=1");
        for (Family family : Family.values()) {
            assertThat(fixture.observer.sees(() -> client.whoami(family)))
                    .as("the observer sees the client's " + family)
                    .isTrue();
        }
        fixture.observer.allow(
                "replies to the gateway's client",
                packet -> packet.isTo(Lab.LAN_HOST_IPV4) || packet.isTo(Lab.LAN_HOST_IPV6));
        fixture.observer.reset();
    }

    private String seenFrom(String address, Family family) {
        String server = family == Family.IPV4 ? Lab.SERVER_IPV4 : "[" + Lab.SERVER_IPV6 + "]";
        return lanHost.attempt("curl", "-s", "--max-time", "2", "--interface", address, "http://" + server + "/")
                .out()
                .strip();
    }

    private void assertClientBlocked() {
        for (Family family : Family.values()) {
            assertThat(client.whoami(family)).isEmpty();
            assertThat(client.echo(family)).isEmpty();
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void listed_clients_use_the_tunnel_and_nothing_leaks() {
        useGateway();
        verifyObserverDetectsLeaks();
        RunningProgram culvert = fixture.connect(settings());
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);

        for (Family family : Family.values()) {
            assertThat(client.whoami(family)).contains(fixture.provider(family));
            assertThat(client.echo(family)).contains(fixture.provider(family));
        }
        assertThat(seenFrom(UNLISTED_IPV4, Family.IPV4)).isEmpty();
        assertThat(seenFrom(UNLISTED_IPV6, Family.IPV6)).isEmpty();
        assertThat(client.resolve(NO_RESOLVER, "gateway.example", Family.IPV4)).isNotEmpty();
        assertThat(fixture.lab.internet().queries())
                .filteredOn(query -> query.name().startsWith("gateway.example"))
                .extracting(ReceivedQuery::sourceAddress)
                .containsOnly(fixture.provider(Family.IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();
        assertThat(fixture.run(settings(), "audit"))
                .satisfies(
                        result -> assertThat(result.status()).as(result.out()).isZero())
                .satisfies(result -> assertThat(result.out()).contains("replies from the tunnel to gateway clients"));

        fixture.lab.provider().stop();
        assertClientBlocked();
        fixture.lab.provider().start();
        culvert.ignoreEarlierOutput();
        fixture.namespace().ip("link delete wg0");
        assertThat(client.whoami(Family.IPV4).orElse(fixture.provider(Family.IPV4)))
                .isEqualTo(fixture.provider(Family.IPV4));
        culvert.awaitLine("tunnel: connected", ExitNodeFixture.TIMEOUT);
        assertThat(client.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));

        culvert.kill();
        assertClientBlocked();
    }

    @Test
    void it_is_closed_by_default() {
        useGateway();
        verifyObserverDetectsLeaks();
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of())).awaitLine("^ready", ExitNodeFixture.TIMEOUT);

        assertClientBlocked();
    }
}
