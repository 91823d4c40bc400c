// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.KernelTest;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.WireGuardClient;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The main use case: a user with a phone and a provider's file. */
@NamespaceTest
class ExitNodeApplicationTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.uplink("enp3s0"));

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    @Test
    @KernelTest
    void a_client_exits_through_the_tunnel_in_both_families() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.connect(fixture.settings(Map.of()));

        fixture.lab.client().useExitNode();

        for (Family family : Family.values()) {
            assertThat(fixture.phone.whoami(family)).contains(fixture.provider(family));
        }
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void the_proxy_uses_the_tunnel_for_mesh_clients_and_LAN_hosts() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = fixture.connect(fixture.settings(
                Map.of("CULVERT_SOCKS", "true", "CULVERT_SOCKS_ALLOW", "192.0.2.0/26, 10.77.0.0/24, fd00:77::/64")));
        culvert.awaitLine("^ready", TIMEOUT);
        fixture.observer.allow("answers of the proxy", packet -> packet.sourcePort() == 1080);
        Probe lanHost = Probe.from(fixture.lab.lanHost());

        for (Family family : Family.values()) {
            assertThat(lanHost.whoamiBySocks(Lab.NODE_IPV4, 1080, family)).contains(fixture.provider(family));
        }
        fixture.lab.client().useExitNode();
        assertThat(fixture.phone.whoamiBySocks(WireGuardClient.MESH_NODE_IPV4, 1080, Family.IPV4))
                .contains(fixture.provider(Family.IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_server_that_stops_responding_is_not_reported_as_connected() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        assertThat(status()).startsWith("State:       connected");

        fixture.lab.provider().blockTraffic();
        try (ContinuousProbe _ = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            culvert.awaitLine("no response from", Duration.ofMinutes(1));
        }
        assertThat(status()).startsWith("State:       blocked");

        culvert.ignoreEarlierOutput();
        fixture.lab.provider().unblockTraffic();
        culvert.awaitLine("connected to", TIMEOUT);
        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
    }

    private String status() {
        return fixture.run(Map.of(), "status").out();
    }
}
