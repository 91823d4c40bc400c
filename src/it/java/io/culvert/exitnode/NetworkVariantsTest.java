// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Variants of machines, containers and providers. */
@NamespaceTest
class NetworkVariantsTest {

    /** Three sessions, each of which ends when its data is not answered for 15 seconds, and the server's timeout. */
    private static final Duration LOST_DATA_TIMEOUT = Duration.ofSeconds(90);

    @SuppressWarnings("NullAway.Init") // Each test opens its own.
    private ExitNodeFixture fixture;

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    @Test
    void with_an_IPv4_only_provider_IPv6_is_rejected_at_once() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
        fixture.verifyObserverDetectsLeaks(Family.values());
        String file = fixture.lab
                .provider()
                .file(fixture.lab.provider().publicIpv4() + ":" + Provider.PORT, "0.0.0.0/0")
                .replaceAll(", fd00:\\S+", "");
        fixture.lab.node().wireGuardFile("provider.conf", file);
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        assertThat(culvert.output()).contains("AllowedIPs has no IPv6: IPv6 is blocked, not leaked");
        fixture.lab.client().useExitNode();

        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        // Rejected at once: curl exits with 7 on a refusal, with 28 on a timeout.
        for (var namespace : new io.culvert.lab.LabNamespace[] {
            fixture.namespace(), fixture.lab.client().namespace()
        }) {
            CommandResult refused =
                    namespace.attempt("curl", "-s", "--max-time", "5", "http://[" + Lab.SERVER_IPV6 + "]/");
            assertThat(refused.status()).as(namespace.name()).isEqualTo(7);
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_container_without_IPv6_works() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.withoutIpv6());
        fixture.verifyObserverDetectsLeaks(Family.IPV4);
        fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();

        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        fixture.assertLocalTrafficBlocked(Family.IPV6);
        assertThat(fixture.phone.whoami(Family.IPV6)).isEmpty();
    }

    @Test
    void a_strict_reverse_path_filter_drops_no_client_traffic() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.withStrictReversePath());
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();

        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        assertThat(fixture.phone.whoami(Family.IPV6)).contains(fixture.provider(Family.IPV6));

        culvert.signal("STOP");
        fixture.namespace().run("ip", "link", "delete", "wg0");
        fixture.assertLocalTrafficBlocked(Family.values());
        culvert.ignoreEarlierOutput().signal("CONT");
        culvert.awaitLine("tunnel: connected to", ExitNodeFixture.TIMEOUT);
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void forwarding_is_enabled_where_sysctls_are_writable_and_required_where_not(boolean writable) {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
        withoutForwarding();
        fixture.in(writable ? Sandbox.MACHINE : Sandbox.CONTAINER);
        String before = fixture.footprintWithoutNftables();
        if (writable) {
            RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
            assertThat(fixture.footprintWithoutNftables()).isNotEqualTo(before);
            culvert.signal("TERM");
            assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        } else {
            CommandResult refused = fixture.run(fixture.settings(Map.of()), "up");
            assertThat(refused.status()).isEqualTo(3);
            assertThat(refused.err())
                    .contains("net.ipv4.ip_forward: is 0 and read-only, so traffic of exit-node clients cannot be"
                            + " forwarded")
                    .contains("--sysctl net.ipv4.ip_forward=1")
                    .contains(
                            "net.ipv6.conf.all.forwarding: is 0 and read-only, so traffic of exit-node clients cannot be forwarded");
        }
        assertThat(fixture.footprintWithoutNftables()).isEqualTo(before);
    }

    private void withoutForwarding() {
        fixture.namespace()
                .run(
                        "sh",
                        "-c",
                        "echo 0 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
    }

    @Test
    void clients_have_the_tunnel_s_IPv6_over_an_uplink_without_IPv6() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS).in(Sandbox.MACHINE);
        withoutForwarding();
        fixture.namespace().ip("route delete default via " + Lab.ROUTER_IPV6);
        fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();

        for (Family family : Family.values()) {
            assertThat(fixture.phone.whoami(family)).contains(fixture.provider(family));
        }
    }

    @Test
    void a_container_without_IPv6_forwarding_warns_and_serves_IPv4() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
        fixture.namespace().run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
        fixture.namespace().ip("route delete default via " + Lab.ROUTER_IPV6);
        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();

        assertThat(culvert.output())
                .contains("is 0 and read-only, so exit-node clients have no IPv6 although the tunnel carries it")
                .contains("--sysctl net.ipv6.conf.all.forwarding=1");
        assertThat(fixture.phone.whoami(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        assertThat(fixture.phone.whoami(Family.IPV6)).isEmpty();
    }

    @Test
    void a_network_that_is_connected_after_the_start_is_used() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS).in(Sandbox.MACHINE);
        withoutForwarding();
        fixture.configureEndpoint("provider0.example:" + Provider.PORT);
        fixture.namespace()
                .ip("route delete default via " + Lab.ROUTER_IPV4, "route delete default via " + Lab.ROUTER_IPV6);
        RunningProgram culvert = fixture.start(fixture.settings(Map.of()));
        culvert.awaitLine("no default route and no other route through a gateway", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("\\(no uplink\\)", ExitNodeFixture.TIMEOUT);

        fixture.namespace()
                .ip(
                        "route add default via " + Lab.ROUTER_IPV4 + " dev eth0",
                        "route add default via " + Lab.ROUTER_IPV6 + " dev eth0");

        culvert.awaitLine("dns: provider0.example resolved", Duration.ofSeconds(10));
        culvert.awaitLine("connected to", ExitNodeFixture.TIMEOUT);
        fixture.lab.client().useExitNode();
        for (Family family : Family.values()) {
            assertThat(fixture.phone.whoami(family)).contains(fixture.provider(family));
        }
    }

    @Test
    void an_unresponsive_server_is_replaced_by_that_of_the_next_file() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.providers(2));
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.lab.node().wireGuardFile("second.conf", fixture.lab.provider(1).file());
        fixture.lab.provider().stop();
        RunningProgram culvert = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("tunnel: no response .*; trying .*second.conf", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("tunnel: connected to " + fixture.lab.provider(1).publicIpv4(), ExitNodeFixture.TIMEOUT);

        assertThat(fixture.node.whoami(Family.IPV4))
                .contains(fixture.lab.provider(1).publicIpv4());
        assertThat(fixture.node.whoami(Family.IPV6))
                .contains(fixture.lab.provider(1).publicIpv6());
        assertThat(fixture.status().server()).contains("second.conf");
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    /** Handshakes succeed, so the session is always fresh. */
    @Test
    void a_server_that_receives_no_data_is_replaced_by_that_of_the_next_file() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.providers(2));
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.lab.node().wireGuardFile("second.conf", fixture.lab.provider(1).file());
        fixture.lab.provider().loseReceivedData();
        RunningProgram culvert = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("tunnel: connected to " + fixture.lab.provider().publicIpv4(), ExitNodeFixture.TIMEOUT);

        try (ContinuousProbe probe = ContinuousProbe.of(fixture.namespace(), Family.IPV4)) {
            culvert.awaitLine("tunnel: no response .*; trying .*second.conf", LOST_DATA_TIMEOUT);
            probe.awaitReply(fixture.lab.provider(1).publicIpv4(), ExitNodeFixture.TIMEOUT);
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }
}
