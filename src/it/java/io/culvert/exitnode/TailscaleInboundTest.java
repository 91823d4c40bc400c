// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.Probe;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TailnetTest;
import io.culvert.net.Family;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Connections to the node from the mesh, local networks, remote networks and the provider's side, and through its
 * proxies.
 */
@TailnetTest
class TailscaleInboundTest {

    private static final int SOCKS = 1080;
    private static final int OWN_SOCKS = 1055;
    private static final int OWN_HTTP = 1056;
    private static final int SERVICE = 8080;

    private final TailnetFixture tailnet = TailnetFixture.defaultSettings();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    private LabNamespace client() {
        return tailnet.lab.client().namespace();
    }

    /** Waits until the phone and the laptop have a direct path to the node. */
    private void awaitDirectPath() {
        tailnet.lab.phone().tailscale().awaitPeer(TailnetFixture.NODE);
        tailnet.lab.phone().tailscale().awaitDirect(TailnetFixture.NODE);
        tailnet.lab.laptop().tailscale().awaitPeer(TailnetFixture.NODE);
        tailnet.lab.laptop().tailscale().awaitDirect(TailnetFixture.NODE);
    }

    @Test
    void mesh_peers_can_use_the_proxy_through_the_tunnel() {
        RunningProgram culvert = tailnet.connect(Map.of("CULVERT_SOCKS", "true"));
        awaitDirectPath();
        tailnet.observer.reset();

        for (Probe from : List.of(tailnet.phone, tailnet.laptop)) {
            for (Family proxy : Family.values()) {
                for (Family target : Family.values()) {
                    assertThat(from.whoamiBySocks(tailnet.address(proxy), SOCKS, target))
                            .as(proxy + " to the proxy, " + target + " beyond")
                            .contains(tailnet.fixture.provider(target));
                }
            }
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
        assertThat(culvert.output()).doesNotContain("unexpectedly");
    }

    @Test
    void the_proxy_reaches_neither_the_tailnet_nor_the_node_itself() {
        ExitNodeFixture.serve(tailnet.fixture.namespace(), SERVICE);
        tailnet.connect(Map.of("CULVERT_SOCKS", "true", "CULVERT_SOCKS_ALLOW", "192.0.2.0/26"));
        awaitDirectPath();
        ExitNodeFixture.serve(client(), SERVICE);
        String node = tailnet.address(Family.IPV4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(client(), node, SERVICE))
                .as("a peer itself")
                .isNotEmpty();
        assertThat(tailnet.laptop.whoamiBySocks(Lab.NODE_IPV4, SOCKS, Family.IPV4))
                .as("a LAN host")
                .contains(tailnet.fixture.provider(Family.IPV4));

        for (String proxy : List.of(node, Lab.NODE_IPV4)) {
            for (String inside : List.of(
                    "127.0.0.1",
                    "[::1]",
                    node,
                    "[" + tailnet.address(Family.IPV6) + "]",
                    tailnet.lab.phone().tailscale().address(Family.IPV4),
                    "[" + tailnet.lab.phone().tailscale().address(Family.IPV6) + "]",
                    tailnet.lab.provider().customerIpv4())) {
                assertThat(tailnet.lab
                                .lanHost()
                                .attempt(
                                        "curl",
                                        "-s",
                                        "--max-time",
                                        "2",
                                        "--socks5",
                                        proxy + ":" + SOCKS,
                                        "http://" + inside + ":" + SERVICE + "/")
                                .out())
                        .as(inside + " by the proxy on " + proxy)
                        .isEmpty();
            }
        }
    }

    @Test
    void tailscale_s_own_proxies_use_the_tunnel() {
        tailnet.connect(Map.of("TS_SOCKS5_SERVER", ":" + OWN_SOCKS, "TS_OUTBOUND_HTTP_PROXY_LISTEN", ":" + OWN_HTTP));
        awaitDirectPath();
        tailnet.observer.reset();

        for (Family target : Family.values()) {
            assertThat(tailnet.phone.whoamiBySocks(tailnet.address(Family.IPV4), OWN_SOCKS, target))
                    .contains(tailnet.fixture.provider(target));
            assertThat(tailnet.node.whoamiBySocks("127.0.0.1", OWN_SOCKS, target))
                    .contains(tailnet.fixture.provider(target));
            String server = target == Family.IPV4 ? Lab.SERVER_IPV4 : "[" + Lab.SERVER_IPV6 + "]";
            for (String proxy : List.of(tailnet.address(Family.IPV4), "[" + tailnet.address(Family.IPV6) + "]")) {
                assertThat(client().attempt(
                                        "curl",
                                        "-s",
                                        "--max-time",
                                        "5",
                                        "--proxy",
                                        "http://" + proxy + ":" + OWN_HTTP,
                                        "http://" + server + "/")
                                .out()
                                .strip())
                        .isEqualTo(tailnet.fixture.provider(target));
            }
        }
        // By name too: the proxy resolves it through the tunnel.
        assertThat(client().attempt(
                                "curl",
                                "-s",
                                "--max-time",
                                "5",
                                "--socks5-hostname",
                                tailnet.address(Family.IPV4) + ":" + OWN_SOCKS,
                                "http://proxied.example/")
                        .out()
                        .strip())
                .isIn(tailnet.fixture.provider(Family.IPV4), tailnet.fixture.provider(Family.IPV6));
        tailnet.assertQueriedThroughTunnelOnly("proxied.example");
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    @Test
    void mesh_peers_in_local_and_remote_networks_reach_the_published_services() {
        ExitNodeFixture.serve(tailnet.fixture.namespace(), SERVICE);
        ExitNodeFixture.serve(tailnet.fixture.namespace(), SERVICE + 1);
        assertThat(ExitNodeFixture.clientAddressSeenBy(tailnet.lab.lanHost(), Lab.NODE_IPV4, SERVICE + 1))
                .isEqualTo(Lab.LAN_HOST_IPV4);
        tailnet.connect(Map.of("CULVERT_PUBLISH", "8080"));
        awaitDirectPath();
        tailnet.observer.reset();
        tailnet.observer.allow("answers of the published port", packet -> packet.sourcePort() == SERVICE);

        for (Family family : Family.values()) {
            String node = family == Family.IPV4 ? Lab.NODE_IPV4 : Lab.NODE_IPV6;
            // Over the mesh, all ports.
            for (int port : List.of(SERVICE, SERVICE + 1)) {
                assertThat(ExitNodeFixture.clientAddressSeenBy(client(), tailnet.address(family), port))
                        .isEqualTo(tailnet.lab.phone().tailscale().address(family));
                assertThat(ExitNodeFixture.clientAddressSeenBy(tailnet.lab.lanHost(), tailnet.address(family), port))
                        .isEqualTo(tailnet.lab.laptop().tailscale().address(family));
            }
            // Over the uplink, published ports.
            assertThat(ExitNodeFixture.clientAddressSeenBy(client(), node, SERVICE))
                    .isEqualTo(family == Family.IPV4 ? Lab.CLIENT_IPV4 : Lab.CLIENT_IPV6);
            assertThat(ExitNodeFixture.clientAddressSeenBy(tailnet.lab.lanHost(), node, SERVICE))
                    .isEqualTo(family == Family.IPV4 ? Lab.LAN_HOST_IPV4 : Lab.LAN_HOST_IPV6);
            assertThat(ExitNodeFixture.clientAddressSeenBy(client(), node, SERVICE + 1))
                    .isEmpty();
            assertThat(ExitNodeFixture.clientAddressSeenBy(tailnet.lab.lanHost(), node, SERVICE + 1))
                    .isEmpty();
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    @Test
    void nothing_is_reachable_from_the_provider_s_side() {
        ExitNodeFixture.serve(tailnet.fixture.namespace(), SERVICE);
        tailnet.fixture.addPrivateNetwork();
        RunningProgram culvert = tailnet.connect(Map.of(
                "CULVERT_PUBLISH",
                "8080",
                "CULVERT_SOCKS",
                "true",
                "TS_SOCKS5_SERVER",
                ":" + OWN_SOCKS,
                "TS_ROUTES",
                "10.5.0.0/24,fd05::/64"));
        awaitDirectPath();
        ExitNodeFixture.serve(client(), SERVICE);
        // The provider can route any packets into the tunnel.
        LabNamespace provider = tailnet.lab.provider().namespace();
        String link = provider.run("wg", "show", "interfaces").strip();
        String key = provider.run("wg", "show", link, "peers").strip();
        provider.run("wg", "set", link, "peer", key, "allowed-ips", "0.0.0.0/0,::/0");
        provider.ip(
                "route add 100.64.0.0/10 dev " + link,
                "route add 10.5.0.0/24 dev " + link,
                "route add fd7a:115c:a1e0::/48 dev " + link,
                "route add fd05::/64 dev " + link);

        for (Family family : Family.values()) {
            boolean v4 = family == Family.IPV4;
            for (String node : List.of(
                    v4
                            ? tailnet.lab.provider().customerIpv4()
                            : tailnet.lab.provider().customerIpv6(),
                    tailnet.address(family))) {
                for (int port : List.of(SERVICE, SOCKS, OWN_SOCKS, 8001, 53, 5053)) {
                    assertThat(reached(provider, node, port))
                            .as(node + " port " + port)
                            .isFalse();
                }
            }
            for (String beyond : List.of(
                    tailnet.lab.phone().tailscale().address(family),
                    tailnet.lab.laptop().tailscale().address(family),
                    v4 ? ExitNodeFixture.PRIVATE_LAN_HOST_4 : ExitNodeFixture.PRIVATE_LAN_HOST_6)) {
                assertThat(reached(provider, beyond, SERVICE)).as(beyond).isFalse();
                assertThat(reached(provider, beyond, 8000)).as(beyond).isFalse();
            }
        }
        assertThat(tailnet.observer.leaks()).isEmpty();

        // They were blocked by the kill switch.
        culvert.signal("STOP");
        tailnet.fixture.namespace().run("nft", "delete table inet culvert");
        assertThat(reached(provider, tailnet.lab.provider().customerIpv4(), SERVICE))
                .isTrue();
    }

    private static boolean reached(LabNamespace from, String address, int port) {
        return from.attempt("timeout", "0.7", "bash", "-c", "</dev/tcp/" + address + "/" + port)
                        .status()
                == 0;
    }
}
