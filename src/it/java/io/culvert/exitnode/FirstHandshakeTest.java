// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Packet;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The first handshake with a server that is given by name is attempted as soon as the name is resolved, and not before.
 */
@NamespaceTest
class FirstHandshakeTest {

    private static final String INITIATIONS = "handshake initiations";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @BeforeEach
    void useServerName() {
        fixture.configureEndpoint("provider0.example:" + Provider.PORT);
        fixture.observer
                .allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53)
                .allow(
                        INITIATIONS,
                        packet -> isToTheServer(packet)
                                && packet.isWireGuard()
                                && packet.payload().charAt(0) == 1);
    }

    /** By the address that was resolved first: a lost query makes it that of the other family. */
    private boolean isToTheServer(Packet packet) {
        return packet.isUdpTo(fixture.lab.provider().publicIpv4(), Provider.PORT)
                || packet.isUdpTo(fixture.lab.provider().publicIpv6(), Provider.PORT);
    }

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private RunningProgram start() {
        return fixture.start(ExitNodeFixture.withoutMesh(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")));
    }

    /**
     * A packet that could not be sent is logged by the userspace program, and sent again only {@code REKEY_TIMEOUT} (5 s) later.
     */
    private void assertFirstAttemptSucceeds(RunningProgram culvert) {
        culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT);
        assertThat(culvert.output()).doesNotContain("no known endpoint", "Failed to send handshake");
        assertThat(fixture.observer.count(INITIATIONS)).isEqualTo(1);
    }

    @Test
    void no_connection_attempt_fails_before_the_name_resolves() {
        for (int start = 0; start < 3; start++) {
            try (RunningProgram culvert = start()) {
                assertFirstAttemptSucceeds(culvert);
                culvert.signal("TERM");
                culvert.awaitExit(ExitNodeFixture.TIMEOUT);
                fixture.observer.reset();
            }
        }
    }

    @Test
    void packets_sent_while_the_name_does_not_resolve_are_no_connection_attempt() {
        fixture.lab.router().nft("""
                table inet mute {
                  chain in { type filter hook prerouting priority -300; th dport 53 drop; }
                }
                """);
        RunningProgram culvert = start();
        culvert.awaitLine("provider0.example does not resolve", ExitNodeFixture.TIMEOUT);
        assertThat(fixture.lab
                        .node()
                        .attempt("wg", "show", "wg0", "allowed-ips")
                        .out())
                .contains("(none)");
        fixture.assertLocalTrafficBlocked(Family.values());

        fixture.lab.router().nft("delete table inet mute");
        culvert.awaitLine("dns: provider0.example resolved", ExitNodeFixture.TIMEOUT);

        assertFirstAttemptSucceeds(culvert);
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }
}
