// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Traffic that the user lets bypass the tunnel: published ports, bypasses and local networks, and nothing else. */
@NamespaceTest
class BypassTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    @Test
    void only_published_ports_respond_to_local_and_remote_clients() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        ExitNodeFixture.serve(fixture.namespace(), 8080);
        ExitNodeFixture.serve(fixture.namespace(), 8081);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.lanHost(), Lab.NODE_IPV4, 8081))
                .isEqualTo(Lab.LAN_HOST_IPV4);
        fixture.connect(fixture.settings(Map.of("CULVERT_PUBLISH", "8080")));
        fixture.observer.reset();
        fixture.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);

        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.lanHost(), Lab.NODE_IPV4, 8080))
                .isEqualTo(Lab.LAN_HOST_IPV4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.lanHost(), Lab.NODE_IPV6, 8080))
                .isEqualTo(Lab.LAN_HOST_IPV6);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.internet().namespace(), Lab.NODE_IPV4, 8080))
                .isNotEmpty();
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.internet().namespace(), Lab.NODE_IPV6, 8080))
                .isNotEmpty();
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.client().namespace(), Lab.NODE_IPV4, 8080))
                .isEqualTo(Lab.CLIENT_IPV4);

        for (LabNamespace from : new LabNamespace[] {
            fixture.lab.lanHost(), fixture.lab.internet().namespace()
        }) {
            assertThat(ExitNodeFixture.clientAddressSeenBy(from, Lab.NODE_IPV4, 8081))
                    .isEmpty();
            assertThat(ExitNodeFixture.clientAddressSeenBy(from, Lab.NODE_IPV6, 8081))
                    .isEmpty();
        }
        // Nothing is reachable from the provider's side through the tunnel's addresses, published or not.
        for (int port : new int[] {8080, 8081, 53, 5053}) {
            assertThat(ExitNodeFixture.clientAddressSeenBy(
                            fixture.lab.provider().namespace(),
                            fixture.lab.provider().customerIpv4(),
                            port))
                    .isEmpty();
            assertThat(ExitNodeFixture.clientAddressSeenBy(
                            fixture.lab.provider().namespace(),
                            fixture.lab.provider().customerIpv6(),
                            port))
                    .isEmpty();
        }
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void bypasses_apply_to_local_processes_and_not_to_exit_node_clients() {
        Map<String, String> settings = fixture.settings(Map.of(
                "CULVERT_BYPASS",
                "198.51.100.10:80/tcp [2001:db8:1::10]:80 198.51.100.53/32, 2001:db8:1::53/128/tcp web.example:7/udp"));
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.observer.allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53);
        fixture.observer.allow(
                "the bypasses", packet -> packet.destinationPort() == 80 || packet.destinationPort() == 7);
        fixture.connect(settings).awaitLine("kill switch: updated: .*198.51.100.10.*dport 7", ExitNodeFixture.TIMEOUT);
        fixture.lab.client().useExitNode();

        assertThat(fixture.node.whoami(Family.IPV4)).contains(Lab.NODE_IPV4);
        assertThat(fixture.node.whoami(Family.IPV6)).contains(Lab.NODE_IPV6);
        assertThat(fixture.node.echo(Family.IPV4)).contains(Lab.NODE_IPV4);
        assertThat(fixture.node.echo(Family.IPV6)).contains(Lab.NODE_IPV6);
        assertThat(fixture.observer.leaks()).isEmpty();

        for (Family family : Family.values()) {
            assertThat(fixture.phone.whoami(family)).contains(fixture.provider(family));
            assertThat(fixture.phone.echo(family)).contains(fixture.provider(family));
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_bypass_to_a_host_name_follows_its_addresses() {
        String before = "198.51.100.21";
        String after = "198.51.100.22";
        LabNamespace internet = fixture.lab.internet().namespace();
        internet.ip("address add " + before + "/32 dev lo", "address add " + after + "/32 dev lo");
        ExitNodeFixture.serve(internet, 8000);
        fixture.lab.internet().setAddresses("moving.example", before);
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.observer.allow("bootstrap DNS queries", packet -> packet.destinationPort() == 53);
        fixture.observer.allow("the bypass", packet -> packet.isTo(before) && packet.destinationPort() == 8000);
        RunningProgram culvert =
                fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_BYPASS", "moving.example:8000/tcp")));
        culvert.awaitLine("kill switch: updated: ip -4 rule add .*" + before, ExitNodeFixture.TIMEOUT);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), before, 8000))
                .isEqualTo(Lab.NODE_IPV4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), after, 8000))
                .isEqualTo(fixture.provider(Family.IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();

        fixture.lab.internet().setAddresses("moving.example", after);
        culvert.awaitLine("kill switch: updated: ip -4 rule add .*" + after, Duration.ofMinutes(1));
        culvert.awaitLine("network: ip -4 rule del.* " + before, ExitNodeFixture.TIMEOUT);

        fixture.observer.reset();
        fixture.observer.allow("the bypass", packet -> packet.isTo(after) && packet.destinationPort() == 8000);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), after, 8000))
                .isEqualTo(Lab.NODE_IPV4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), before, 8000))
                .isEqualTo(fixture.provider(Family.IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void ten_thousand_bypasses_work() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        String many = IntStream.range(0, 10_000)
                .mapToObj(number -> number % 2 == 0
                        ? "198.18.%d.%d:443/tcp".formatted(number / 250, number % 250)
                        : "[2001:db8:aaaa::%x]:443/tcp".formatted(number))
                .collect(Collectors.joining(" "));
        fixture.observer.allow("the bypass", packet -> packet.destinationPort() == 80);
        Map<String, String> settings = ExitNodeFixture.withoutMesh(Map.of(
                "CULVERT_BYPASS_FILE",
                fixture.lab
                        .node()
                        .file("bypasses", many + " " + Lab.SERVER_IPV4 + ":80/tcp [" + Lab.SERVER_IPV6 + "]:80/tcp")));
        fixture.connect(settings);

        assertThat(fixture.node.whoami(Family.IPV4)).contains(Lab.NODE_IPV4);
        assertThat(fixture.node.whoami(Family.IPV6)).contains(Lab.NODE_IPV6);
        assertThat(fixture.node.echo(Family.IPV4)).contains(fixture.provider(Family.IPV4));
        assertThat(fixture.node.echo(Family.IPV6)).contains(fixture.provider(Family.IPV6));
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void a_connected_private_network_is_reachable_for_local_processes_and_never_for_exit_node_clients() {
        fixture.addPrivateNetwork();
        fixture.withoutKillSwitch(() -> {
            for (String address :
                    new String[] {ExitNodeFixture.PRIVATE_LAN_HOST_4, ExitNodeFixture.PRIVATE_LAN_HOST_6}) {
                assertThat(fixture.observer.sees(() -> ExitNodeFixture.clientAddressSeenBy(
                                fixture.lab.client().namespace(), address, 8000)))
                        .isTrue();
            }
        });
        fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();
        fixture.observer.allow(
                "the private network", packet -> packet.destinationPort() == 8000 || packet.sourcePort() == 8001);

        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_4, 8000))
                .isEqualTo(ExitNodeFixture.PRIVATE_NODE_4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_6, 8000))
                .isEqualTo(ExitNodeFixture.PRIVATE_NODE_6);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.lanHost(), ExitNodeFixture.PRIVATE_NODE_4, 8001))
                .isEqualTo(ExitNodeFixture.PRIVATE_LAN_HOST_4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.lanHost(), ExitNodeFixture.PRIVATE_NODE_6, 8001))
                .isEqualTo(ExitNodeFixture.PRIVATE_LAN_HOST_6);
        // Connected networks of public addresses are treated as the internet.
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), Lab.LAN_HOST_IPV4, 8000))
                .isNotEqualTo(Lab.NODE_IPV4);

        fixture.observer.reset();
        assertThat(ExitNodeFixture.clientAddressSeenBy(
                        fixture.lab.client().namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_4, 8000))
                .isEmpty();
        assertThat(ExitNodeFixture.clientAddressSeenBy(
                        fixture.lab.client().namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_6, 8000))
                .isEmpty();
        assertThat(fixture.observer.count("the private network")).isZero();
        assertThat(fixture.observer.leaks()).isEmpty();
    }

    @Test
    void the_LAN_setting_disables_or_replaces_the_local_networks() {
        fixture.addPrivateNetwork();
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_4, 8000))
                .isEqualTo(ExitNodeFixture.PRIVATE_NODE_4);
        try (var culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_LAN_ALLOW", "none")))) {
            fixture.observer.reset();
            assertThat(ExitNodeFixture.clientAddressSeenBy(
                            fixture.namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_4, 8000))
                    .isEmpty();
            assertThat(ExitNodeFixture.clientAddressSeenBy(
                            fixture.namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_6, 8000))
                    .isEmpty();
            assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.lanHost(), ExitNodeFixture.PRIVATE_NODE_4, 8001))
                    .isEmpty();
            assertThat(fixture.observer.leaks()).isEmpty();
            culvert.kill();
        }
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_LAN_ALLOW", "192.0.2.0/26 2001:db8:e::/64")));
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), Lab.LAN_HOST_IPV4, 8000))
                .isEqualTo(Lab.NODE_IPV4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), Lab.LAN_HOST_IPV6, 8000))
                .isEqualTo(Lab.NODE_IPV6);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.namespace(), ExitNodeFixture.PRIVATE_LAN_HOST_4, 8000))
                .isEmpty();
    }
}
