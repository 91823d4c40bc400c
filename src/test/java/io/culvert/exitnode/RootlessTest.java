package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.DnsQuestion;
import io.culvert.lab.EngineResolver;
import io.culvert.lab.Lab;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The networks that container engines give to those who are not root, and what they withhold. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class RootlessTest {

    /** As the uplink is called in slirp4netns, whatever the machine's is called. */
    private static final String TAP = "tap0";

    /** slirp4netns's network: its resolver stands in no resolv.conf of the machine. */
    private static final String SLIRP_RESOLVER = "10.0.2.3";

    @SuppressWarnings("NullAway.Init") // Each test opens its own.
    private World world;

    @AfterEach
    void closeLab() {
        world.close();
    }

    private void serverByName() {
        world.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        world.lab.provider().file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));
    }

    @Test
    void the_network_of_slirp4netns_has_another_name_a_huge_MTU_and_with_forwarding_no_way_out_by_IPv6() {
        world = World.of(Shape.USUAL.uplink(TAP)).in(Box.CONTAINER.without("net_raw"));
        world.space().ip("link set " + TAP + " mtu 65520");
        world.observerIsNotBlind(Family.values());
        world.space().run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/" + TAP + "/accept_ra");
        world.space().ip("route delete default via " + Lab.ROUTER_6);

        Child culvert = world.connect(world.settings(Map.of()));
        world.lab.client().useExitNode();

        assertThat(culvert.output())
                .contains(TAP + ": warning: has the IPv6 address " + Lab.NODE_6 + " but no IPv6 default route")
                .contains("podman network create --ipv6");
        assertThat(world.space().run("ip", "-o", "link", "show", "wg0")).contains(" mtu 1420 ");
        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).contains(world.provider(family));
        }
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @Test
    void a_way_out_by_IPv6_and_a_router_that_is_heeded_are_no_reason_to_warn() {
        world = World.of(Shape.USUAL.uplink(TAP));
        world.space().run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/" + TAP + "/accept_ra");
        assertThat(check()).doesNotContain("no IPv6 default route");

        world.space().run("sh", "-c", "echo 2 > /proc/sys/net/ipv6/conf/" + TAP + "/accept_ra");
        world.space().ip("route delete default via " + Lab.ROUTER_6);
        assertThat(check()).doesNotContain("no IPv6 default route");

        world.space().run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/" + TAP + "/accept_ra");
        assertThat(check()).contains("no IPv6 default route");
    }

    private String check() {
        return world.run(World.alone(Map.of()), "check").out();
    }

    @Test
    void the_resolver_of_slirp4netns_finds_the_server_and_is_asked_nothing_else() {
        world = World.of(Shape.USUAL.uplink(TAP));
        world.observerIsNotBlind(Family.values());
        world.space().ip("address add 10.0.2.100/24 dev " + TAP);
        world.lab.router().ip("address add " + SLIRP_RESOLVER + "/24 dev lan");
        world.lab.router().nft("""
                table ip slirp {
                  chain in {
                    type nat hook prerouting priority dstnat;
                    ip daddr %s meta l4proto { tcp, udp } th dport 53 dnat to %s
                  }
                  chain out { type nat hook postrouting priority srcnat; ip saddr 10.0.2.0/24 masquerade; }
                }
                """.formatted(SLIRP_RESOLVER, Lab.RESOLVER_4));
        assertThat(world.observer.sees(() -> world.node.resolve(SLIRP_RESOLVER, "before.example", Family.IPV4)))
                .isTrue();
        world.lab.node().resolvConf("nameserver " + SLIRP_RESOLVER + "\nnameserver " + Lab.RESOLVER_4 + "\n");
        serverByName();
        world.observer.allow(
                "our questions for the server's name",
                packet -> packet.destinationPort() == 53 && packet.payload().contains("provider0\7example"));

        // Closed even to the networks that it is connected to: its own questions need no such way.
        world.connect(World.alone(Map.of("CULVERT_LAN_ALLOW", "none")));

        assertThat(world.node.resolve(SLIRP_RESOLVER, "after.example", Family.IPV4))
                .containsExactly(Lab.SERVER_4);
        assertThat(world.lab.internet().questions().stream()
                        .filter(question -> question.name().equals("after.example.")))
                .isNotEmpty()
                .extracting(DnsQuestion::asker)
                .containsOnly(world.provider(Family.IPV4));
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @Test
    void Docker_s_own_resolver_finds_the_server_and_is_asked_nothing_else() {
        world = World.of(Shape.USUAL);
        world.observerIsNotBlind(Family.values());
        try (EngineResolver docker = EngineResolver.outside(world.space())) {
            world.lab
                    .node()
                    .resolvConf("nameserver " + EngineResolver.ADDRESS
                            + "\nsearch .\noptions ndots:0\n\n# ExtServers: [host(198.51.100.53)]\n");
            assertThat(world.node.resolve(EngineResolver.ADDRESS, "before.example", Family.IPV4))
                    .containsExactly(Lab.SERVER_4);
            serverByName();
            world.connect(World.alone(Map.of()));

            assertThat(world.node.resolve(EngineResolver.ADDRESS, "after.example", Family.IPV4))
                    .containsExactly(Lab.SERVER_4);
            assertThat(docker.questions())
                    .extracting(DnsQuestion::name)
                    .contains("before.example.", "provider0.example.")
                    .doesNotContain("after.example.");
        }
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @Test
    void a_run_directory_that_cannot_be_written_is_told_with_everything_else() {
        world = World.of(Shape.USUAL).in(Box.CONTAINER.withoutTun().withReadOnlyRun());
        Outcome refused = world.run(World.alone(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")), "up");

        assertThat(refused.status()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err())
                .contains("/dev/net/tun: cannot be opened, but userspace WireGuard requires it")
                .contains("/run/wireguard: the userspace WireGuard needs this directory for its sockets, but ")
                .contains("`--tmpfs /run`, or `tmpfs: /run` in a compose file");
    }
}
