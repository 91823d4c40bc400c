package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Probe;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Who reaches the node, from the mesh, from near, from far, and from the provider's side; and by which proxy. */
@Tag("tailnet")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleInboundTest {

    private static final int SOCKS = 1080;
    private static final int OWN_SOCKS = 1055;
    private static final int OWN_HTTP = 1056;
    private static final int SERVICE = 8080;

    private final Tailnet tailnet = Tailnet.usual();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    private Namespace client() {
        return tailnet.lab.client().space();
    }

    /** From where the phone and the laptop are, once they have found the node. */
    private void findTheNode() {
        tailnet.lab.phone().tailscale().awaitPeer(Tailnet.NODE);
        tailnet.lab.phone().tailscale().awaitDirect(Tailnet.NODE);
        tailnet.lab.laptop().tailscale().awaitPeer(Tailnet.NODE);
        tailnet.lab.laptop().tailscale().awaitDirect(Tailnet.NODE);
    }

    @Test
    void mesh_peers_use_the_proxy_and_leave_by_the_provider() {
        Child culvert = tailnet.connect(Map.of("CULVERT_SOCKS", "true"));
        findTheNode();
        tailnet.observer.forget();

        for (Probe from : List.of(tailnet.phone, tailnet.laptop)) {
            for (Family proxy : Family.values()) {
                for (Family target : Family.values()) {
                    assertThat(from.whoamiBySocks(tailnet.address(proxy), SOCKS, target))
                            .as(proxy + " to the proxy, " + target + " beyond")
                            .contains(tailnet.world.provider(target));
                }
            }
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
        assertThat(culvert.output()).doesNotContain("unexpectedly");
    }

    @Test
    void the_proxy_leads_neither_into_the_tailnet_nor_to_the_node_itself() {
        World.serve(tailnet.world.space(), SERVICE);
        tailnet.connect(Map.of("CULVERT_SOCKS", "true", "CULVERT_SOCKS_ALLOW", "192.0.2.0/26"));
        findTheNode();
        World.serve(client(), SERVICE);
        String node = tailnet.address(Family.IPV4);
        assertThat(World.ask(client(), node, SERVICE)).as("a peer itself").isNotEmpty();
        assertThat(tailnet.laptop.whoamiBySocks(Lab.NODE_4, SOCKS, Family.IPV4))
                .as("a neighbour")
                .contains(tailnet.world.provider(Family.IPV4));

        for (String proxy : List.of(node, Lab.NODE_4)) {
            for (String inside : List.of(
                    "127.0.0.1",
                    "[::1]",
                    node,
                    "[" + tailnet.address(Family.IPV6) + "]",
                    tailnet.lab.phone().tailscale().address(Family.IPV4),
                    "[" + tailnet.lab.phone().tailscale().address(Family.IPV6) + "]",
                    tailnet.lab.provider().customer4())) {
                assertThat(tailnet.lab
                                .neighbour()
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
    void tailscale_s_own_proxies_leave_by_the_provider() {
        tailnet.connect(Map.of("TS_SOCKS5_SERVER", ":" + OWN_SOCKS, "TS_OUTBOUND_HTTP_PROXY_LISTEN", ":" + OWN_HTTP));
        findTheNode();
        tailnet.observer.forget();

        for (Family target : Family.values()) {
            assertThat(tailnet.phone.whoamiBySocks(tailnet.address(Family.IPV4), OWN_SOCKS, target))
                    .contains(tailnet.world.provider(target));
            assertThat(tailnet.node.whoamiBySocks("127.0.0.1", OWN_SOCKS, target))
                    .contains(tailnet.world.provider(target));
            String server = target == Family.IPV4 ? Lab.SERVER_4 : "[" + Lab.SERVER_6 + "]";
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
                        .isEqualTo(tailnet.world.provider(target));
            }
        }
        // By name as well: the proxy resolves it, through the tunnel.
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
                .isIn(tailnet.world.provider(Family.IPV4), tailnet.world.provider(Family.IPV6));
        tailnet.askedByTheProviderOnly("proxied.example");
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    @Test
    void mesh_peers_near_and_far_reach_what_is_theirs_to_reach() {
        World.serve(tailnet.world.space(), SERVICE);
        World.serve(tailnet.world.space(), SERVICE + 1);
        assertThat(World.ask(tailnet.lab.neighbour(), Lab.NODE_4, SERVICE + 1)).isEqualTo(Lab.NEIGHBOUR_4);
        tailnet.connect(Map.of("CULVERT_PUBLISH", "8080"));
        findTheNode();
        tailnet.observer.forget();
        tailnet.observer.allow("answers of the published port", packet -> packet.sourcePort() == SERVICE);

        for (Family family : Family.values()) {
            String node = family == Family.IPV4 ? Lab.NODE_4 : Lab.NODE_6;
            // Over the mesh, all of it.
            for (int port : List.of(SERVICE, SERVICE + 1)) {
                assertThat(World.ask(client(), tailnet.address(family), port))
                        .isEqualTo(tailnet.lab.phone().tailscale().address(family));
                assertThat(World.ask(tailnet.lab.neighbour(), tailnet.address(family), port))
                        .isEqualTo(tailnet.lab.laptop().tailscale().address(family));
            }
            // By the uplink, what is published.
            assertThat(World.ask(client(), node, SERVICE))
                    .isEqualTo(family == Family.IPV4 ? Lab.CLIENT_4 : Lab.CLIENT_6);
            assertThat(World.ask(tailnet.lab.neighbour(), node, SERVICE))
                    .isEqualTo(family == Family.IPV4 ? Lab.NEIGHBOUR_4 : Lab.NEIGHBOUR_6);
            assertThat(World.ask(client(), node, SERVICE + 1)).isEmpty();
            assertThat(World.ask(tailnet.lab.neighbour(), node, SERVICE + 1)).isEmpty();
        }
        assertThat(tailnet.observer.leaks()).isEmpty();
    }

    @Test
    void nothing_is_reached_from_the_provider_s_side() {
        World.serve(tailnet.world.space(), SERVICE);
        tailnet.world.givePrivateAddresses();
        Child culvert = tailnet.connect(Map.of(
                "CULVERT_PUBLISH",
                "8080",
                "CULVERT_SOCKS",
                "true",
                "TS_SOCKS5_SERVER",
                ":" + OWN_SOCKS,
                "TS_ROUTES",
                "10.5.0.0/24,fd05::/64"));
        findTheNode();
        World.serve(client(), SERVICE);
        // The provider routes whatever he likes into the tunnel.
        Namespace provider = tailnet.lab.provider().space();
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
                            ? tailnet.lab.provider().customer4()
                            : tailnet.lab.provider().customer6(),
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
                    v4 ? World.PRIVATE_NEIGHBOUR_4 : World.PRIVATE_NEIGHBOUR_6)) {
                assertThat(reached(provider, beyond, SERVICE)).as(beyond).isFalse();
                assertThat(reached(provider, beyond, 8000)).as(beyond).isFalse();
            }
        }
        assertThat(tailnet.observer.leaks()).isEmpty();

        // It was the guard that stopped them.
        culvert.signal("STOP");
        tailnet.world.space().run("nft", "delete table inet culvert");
        assertThat(reached(provider, tailnet.lab.provider().customer4(), SERVICE))
                .isTrue();
    }

    private static boolean reached(Namespace from, String address, int port) {
        return from.attempt("timeout", "0.7", "bash", "-c", "</dev/tcp/" + address + "/" + port)
                        .status()
                == 0;
    }
}
