// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.DockerResolver;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.ReceivedQuery;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The networks of rootless container engines. */
@NamespaceTest
class RootlessExitNodeTest {

    /** The uplink's name in slirp4netns. */
    private static final String TAP = "tap0";

    /** slirp4netns's network: its resolver is in no resolv.conf of the machine. */
    private static final String SLIRP_RESOLVER = "10.0.2.3";

    @SuppressWarnings("NullAway.Init") // Each test opens its own.
    private ExitNodeFixture fixture;

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private void serverByName() {
        fixture.configureEndpoint("provider0.example:" + Provider.PORT);
    }

    @Test
    void slirp4netns_has_another_uplink_name_a_huge_MTU_and_no_IPv6_route_with_forwarding() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.uplink(TAP)).in(Sandbox.CONTAINER.without("net_raw"));
        fixture.namespace().ip("link set " + TAP + " mtu 65520");
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.namespace().run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/" + TAP + "/accept_ra");
        fixture.namespace().ip("route delete default via " + Lab.ROUTER_IPV6);

        RunningProgram culvert = fixture.connect(fixture.settings(Map.of()));
        fixture.lab.client().useExitNode();

        assertThat(culvert.output())
                .contains("warn: " + TAP + ": has the IPv6 address " + Lab.NODE_IPV6 + " but no IPv6 default route")
                .contains("podman network create --ipv6");
        assertThat(fixture.namespace().run("ip", "-o", "link", "show", "wg0")).contains(" mtu 1420 ");
        for (Family family : Family.values()) {
            assertThat(fixture.phone.whoami(family)).contains(fixture.provider(family));
        }
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void with_an_IPv6_route_or_accepted_router_advertisements_there_is_no_warning() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.uplink(TAP));
        fixture.namespace().run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/" + TAP + "/accept_ra");
        assertThat(check()).doesNotContain("no IPv6 default route");

        fixture.namespace().run("sh", "-c", "echo 2 > /proc/sys/net/ipv6/conf/" + TAP + "/accept_ra");
        fixture.namespace().ip("route delete default via " + Lab.ROUTER_IPV6);
        assertThat(check()).doesNotContain("no IPv6 default route");

        fixture.namespace().run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/" + TAP + "/accept_ra");
        assertThat(check()).contains("no IPv6 default route");
    }

    private String check() {
        return fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "check").out();
    }

    @Test
    void the_resolver_of_slirp4netns_is_queried_for_the_server_only() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.uplink(TAP));
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.namespace().ip("address add 10.0.2.100/24 dev " + TAP);
        fixture.lab.router().ip("address add " + SLIRP_RESOLVER + "/24 dev lan");
        fixture.lab.router().nft("""
                table ip slirp {
                  chain in {
                    type nat hook prerouting priority dstnat;
                    ip daddr %s meta l4proto { tcp, udp } th dport 53 dnat to %s
                  }
                  chain out { type nat hook postrouting priority srcnat; ip saddr 10.0.2.0/24 masquerade; }
                }
                """.formatted(SLIRP_RESOLVER, Lab.RESOLVER_IPV4));
        assertThat(fixture.observer.sees(() -> fixture.node.resolve(SLIRP_RESOLVER, "before.example", Family.IPV4)))
                .isTrue();
        fixture.lab.node().resolvConf("nameserver " + SLIRP_RESOLVER + "\nnameserver " + Lab.RESOLVER_IPV4 + "\n");
        serverByName();
        fixture.observer.allow(
                "bootstrap DNS queries for the server's name",
                packet -> packet.destinationPort() == 53 && packet.payload().contains("provider0\7example"));

        // Blocked even to connected networks: its bootstrap DNS queries do not need them.
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_LAN_ALLOW", "none")));

        assertThat(fixture.node.resolve(SLIRP_RESOLVER, "after.example", Family.IPV4))
                .containsExactly(Lab.SERVER_IPV4);
        assertThat(fixture.lab.internet().queries().stream()
                        .filter(query -> query.name().equals("after.example.")))
                .isNotEmpty()
                .extracting(ReceivedQuery::sourceAddress)
                .containsOnly(fixture.provider(Family.IPV4));
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void Docker_s_resolver_is_queried_for_the_server_only() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
        fixture.verifyObserverDetectsLeaks(Family.values());
        try (DockerResolver docker = DockerResolver.forwardingFromOutside(fixture.namespace())) {
            fixture.lab
                    .node()
                    .resolvConf("nameserver " + DockerResolver.ADDRESS
                            + "\nsearch .\noptions ndots:0\n\n# ExtServers: [host(198.51.100.53)]\n");
            assertThat(fixture.node.resolve(DockerResolver.ADDRESS, "before.example", Family.IPV4))
                    .containsExactly(Lab.SERVER_IPV4);
            serverByName();
            fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

            assertThat(fixture.node.resolve(DockerResolver.ADDRESS, "after.example", Family.IPV4))
                    .containsExactly(Lab.SERVER_IPV4);
            assertThat(docker.queries())
                    .extracting(ReceivedQuery::name)
                    .contains("before.example.", "provider0.example.")
                    .doesNotContain("after.example.");
        }
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void an_unwritable_run_directory_is_reported_with_all_other_problems() {
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS)
                .in(Sandbox.CONTAINER.withoutTun().withReadOnlyRun());
        CommandResult refused =
                fixture.run(ExitNodeFixture.withoutMesh(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")), "up");

        assertThat(refused.status()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err())
                .contains("/dev/net/tun: cannot be opened, but userspace WireGuard requires it")
                .contains("/run/wireguard: the userspace WireGuard needs this directory for its sockets, but ")
                .contains("`--tmpfs /run`, or `tmpfs: /run` in a compose file");
    }
}
