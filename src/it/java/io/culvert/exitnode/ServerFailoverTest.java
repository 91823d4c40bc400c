// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server or its data path fails while programs send: traffic continues by the next server or address, and nothing leaks. */
@NamespaceTest
class ServerFailoverTest {

    private static final String TRYING_SECOND = "tunnel: no response .*; trying .*second.conf";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.providers(2));
    private final Provider first = fixture.lab.provider(0);
    private final Provider second = fixture.lab.provider(1);

    @BeforeEach
    void verifyObserver() {
        fixture.verifyObserverDetectsLeaks(Family.values());
    }

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private RunningProgram connect(Map<String, String> settings) {
        fixture.lab.node().wireGuardFile("second.conf", second.file());
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(settings));
        culvert.awaitLine("tunnel: connected to " + first.publicIpv4(), ExitNodeFixture.TIMEOUT);
        return culvert;
    }

    private String tunnelPort() {
        return fixture.lab
                .node()
                .attempt("wg", "show", "wg0", "listen-port")
                .outputOrFail()
                .strip();
    }

    private void assertNoLeak() {
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_server_that_dies_under_traffic_is_replaced() {
        RunningProgram culvert = connect(Map.of());
        try (ContinuousProbe probe = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            probe.awaitReply(first.publicIpv4(), ExitNodeFixture.TIMEOUT);

            first.blockTraffic();

            probe.awaitReply(second.publicIpv4(), ExitNodeFixture.TIMEOUT);
        }
        culvert.awaitLine(TRYING_SECOND, ExitNodeFixture.TIMEOUT);
        assertThat(fixture.status().healthy()).isTrue();
        assertNoLeak();
    }

    @Test
    void a_server_that_drops_data_while_handshakes_and_keepalives_go_on_is_replaced() {
        RunningProgram culvert = connect(Map.of());
        try (ContinuousProbe probe = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            probe.awaitReply(first.publicIpv4(), ExitNodeFixture.TIMEOUT);

            first.dropTunnelTraffic(Lab.NODE_IPV4 + ":" + tunnelPort());

            // Seconds where the server has answered a probe before, which it may not have had the time for.
            probe.awaitReply(second.publicIpv4(), Duration.ofSeconds(60));
        }
        culvert.awaitLine(TRYING_SECOND, ExitNodeFixture.TIMEOUT);
        assertNoLeak();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void the_first_server_is_used_again_when_it_is_well(boolean isStillDead) {
        RunningProgram culvert = connect(Map.of("CULVERT_SERVER_RETURN", "3s"));
        try (ContinuousProbe probe = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            probe.awaitReply(first.publicIpv4(), ExitNodeFixture.TIMEOUT);
            first.blockTraffic();
            probe.awaitReply(second.publicIpv4(), ExitNodeFixture.TIMEOUT);
            if (isStillDead) {
                culvert.awaitLine("returning to the preferred server", ExitNodeFixture.TIMEOUT);
                probe.awaitReply(second.publicIpv4(), ExitNodeFixture.TIMEOUT);
            }

            first.unblockTraffic();

            probe.awaitReply(first.publicIpv4(), ExitNodeFixture.TIMEOUT);
        }
        assertNoLeak();
    }

    @Test
    void an_outage_of_the_own_uplink_changes_no_server() {
        RunningProgram culvert = connect(Map.of());
        try (ContinuousProbe probe = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            probe.awaitReply(first.publicIpv4(), ExitNodeFixture.TIMEOUT);
            culvert.ignoreEarlierOutput();

            setLink("down");
            culvert.awaitLine("tunnel: (no response|waiting for a handshake)", ExitNodeFixture.TIMEOUT);
            setLink("up");

            probe.awaitReply(first.publicIpv4(), ExitNodeFixture.TIMEOUT);
        }
        assertThat(culvert.output()).doesNotContain("trying");
    }

    /** The router's side of the link is the carrier of the node's. The observer does not survive that. */
    private void setLink(String state) {
        fixture.lab.router().ip("link set node0 " + state);
    }

    private void configurePool(String... addresses) {
        fixture.observer.allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53);
        fixture.lab.internet().setAddresses("pool.example", addresses);
        fixture.configureEndpoint("pool.example:" + Provider.PORT);
    }

    /** Nothing responds at the other address. */
    @ParameterizedTest
    @ValueSource(strings = {"203.0.113.11", "2001:db8:f::11"})
    void the_second_address_of_a_name_is_used_if_the_first_is_dead(String dead) {
        fixture.observer.allowWireGuardTo(dead, Provider.PORT);
        configurePool(dead, first.publicIpv4());

        RunningProgram culvert = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));

        culvert.awaitLine("tunnel: connected to " + first.publicIpv4(), ExitNodeFixture.TIMEOUT);
        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
    }

    @Test
    void the_other_address_of_a_name_is_used_when_the_one_in_use_dies() {
        configurePool(first.publicIpv4(), first.publicIpv6());
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        boolean isIpv4 = fixture.status().server().contains(first.publicIpv4());
        culvert.ignoreEarlierOutput();
        try (ContinuousProbe probe = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            probe.awaitReply(first.publicIpv4(), ExitNodeFixture.TIMEOUT);

            first.blockTraffic(isIpv4 ? Family.IPV4 : Family.IPV6);

            culvert.awaitLine(
                    "tunnel: connected to .*" + (isIpv4 ? "2001:db8:f::10" : "203.0.113.10"), ExitNodeFixture.TIMEOUT);
        }
        assertNoLeak();
    }
}
