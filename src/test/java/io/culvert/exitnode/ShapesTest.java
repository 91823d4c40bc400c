package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines, containers and providers differ. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ShapesTest {

    @SuppressWarnings("NullAway.Init") // Each test opens its own.
    private World world;

    @AfterEach
    void closeLab() {
        world.close();
    }

    @Test
    void a_provider_without_IPv6_closes_IPv6_at_once_for_everybody() {
        world = World.of(Shape.USUAL);
        world.observerIsNotBlind(Family.values());
        String file = world.lab
                .provider()
                .file(world.lab.provider().outer4() + ":" + Provider.PORT, "0.0.0.0/0")
                .replaceAll(", fd00:\\S+", "");
        world.lab.node().wireGuardFile("provider.conf", file);
        Child culvert = world.connect(world.settings(Map.of()));
        assertThat(culvert.output()).contains("AllowedIPs has no IPv6: IPv6 is blocked, not leaked");
        world.lab.client().useExitNode();

        world.localTrafficGoesByTheProvider(Family.IPV4);
        assertThat(world.phone.whoami(Family.IPV4)).contains(world.provider(Family.IPV4));
        // Told so, not kept waiting: curl's 7 is a refusal, its 28 would be the time-out.
        for (var space : new io.culvert.lab.Namespace[] {
            world.space(), world.lab.client().space()
        }) {
            Outcome refused = space.attempt("curl", "-s", "--max-time", "5", "http://[" + Lab.SERVER_6 + "]/");
            assertThat(refused.status()).as(space.name()).isEqualTo(7);
        }
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void a_container_without_IPv6_works() {
        world = World.of(Shape.USUAL.withoutIpv6());
        world.observerIsNotBlind(Family.IPV4);
        world.connect(world.settings(Map.of()));
        world.lab.client().useExitNode();

        world.localTrafficGoesByTheProvider(Family.IPV4);
        assertThat(world.phone.whoami(Family.IPV4)).contains(world.provider(Family.IPV4));
        world.localTrafficIsClosed(Family.IPV6);
        assertThat(world.phone.whoami(Family.IPV6)).isEmpty();
    }

    @Test
    void a_strict_reverse_path_filter_stops_nobody() {
        world = World.of(Shape.USUAL.withStrictReversePath());
        world.observerIsNotBlind(Family.values());
        Child culvert = world.connect(world.settings(Map.of()));
        world.lab.client().useExitNode();

        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.phone.whoami(Family.IPV4)).contains(world.provider(Family.IPV4));
        assertThat(world.phone.whoami(Family.IPV6)).contains(world.provider(Family.IPV6));

        culvert.signal("STOP");
        world.space().run("ip", "link", "delete", "wg0");
        world.localTrafficIsClosed(Family.values());
        culvert.fromNow().signal("CONT");
        culvert.awaitLine("tunnel: connected to", World.SOON);
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void forwarding_is_switched_on_where_that_can_be_done_and_asked_for_where_not(boolean writable) {
        world = World.of(Shape.USUAL);
        withoutForwarding();
        world.in(writable ? Box.MACHINE : Box.CONTAINER);
        String before = world.footprintBesideNftables();
        if (writable) {
            Child culvert = world.connect(world.settings(Map.of()));
            assertThat(world.footprintBesideNftables()).isNotEqualTo(before);
            culvert.signal("TERM");
            assertThat(culvert.awaitExit(World.SOON)).isZero();
        } else {
            Outcome refused = world.run(world.settings(Map.of()), "up");
            assertThat(refused.status()).isEqualTo(3);
            assertThat(refused.err())
                    .contains("net.ipv4.ip_forward: is 0 and read-only, so traffic of exit-node clients cannot be"
                            + " forwarded")
                    .contains("--sysctl net.ipv4.ip_forward=1")
                    .contains(
                            "net.ipv6.conf.all.forwarding: is 0 and read-only, so traffic of exit-node clients cannot be forwarded");
        }
        assertThat(world.footprintBesideNftables()).isEqualTo(before);
    }

    private void withoutForwarding() {
        world.space()
                .run(
                        "sh",
                        "-c",
                        "echo 0 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
    }

    @Test
    void phones_have_the_tunnel_s_IPv6_by_an_uplink_that_has_none() {
        world = World.of(Shape.USUAL).in(Box.MACHINE);
        withoutForwarding();
        world.space().ip("route delete default via " + Lab.ROUTER_6);
        world.connect(world.settings(Map.of()));
        world.lab.client().useExitNode();

        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).contains(world.provider(family));
        }
    }

    @Test
    void a_container_that_may_not_forward_IPv6_says_so_and_serves_IPv4() {
        world = World.of(Shape.USUAL);
        world.space().run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
        world.space().ip("route delete default via " + Lab.ROUTER_6);
        Child culvert = world.connect(world.settings(Map.of()));
        world.lab.client().useExitNode();

        assertThat(culvert.output())
                .contains("is 0 and read-only, so exit-node clients have no IPv6 although the tunnel carries it")
                .contains("--sysctl net.ipv6.conf.all.forwarding=1");
        assertThat(world.phone.whoami(Family.IPV4)).contains(world.provider(Family.IPV4));
        assertThat(world.phone.whoami(Family.IPV6)).isEmpty();
    }

    @Test
    void a_machine_that_gets_its_network_late_serves_everybody_then() {
        world = World.of(Shape.USUAL).in(Box.MACHINE);
        withoutForwarding();
        world.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        world.lab.provider().file("provider0.example:" + Provider.PORT, "0.0.0.0/0, ::/0"));
        world.space().ip("route delete default via " + Lab.ROUTER_4, "route delete default via " + Lab.ROUTER_6);
        Child culvert = world.start(world.settings(Map.of()));
        culvert.awaitLine("no default route and no other route through a gateway", World.SOON);
        culvert.awaitLine("\\(no uplink\\)", World.SOON);

        world.space()
                .ip(
                        "route add default via " + Lab.ROUTER_4 + " dev eth0",
                        "route add default via " + Lab.ROUTER_6 + " dev eth0");

        culvert.awaitLine("dns: provider0.example resolved", Duration.ofSeconds(10));
        culvert.awaitLine("connected to", World.SOON);
        world.lab.client().useExitNode();
        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).contains(world.provider(family));
        }
    }

    @Test
    void a_dead_server_is_replaced_by_the_next_file_s() {
        world = World.of(Shape.USUAL.providers(2));
        world.observerIsNotBlind(Family.values());
        world.lab.node().wireGuardFile("second.conf", world.lab.provider(1).file());
        world.lab.provider().die();
        Child culvert = world.start(World.alone(Map.of()));
        culvert.awaitLine("tunnel: no response .*; trying .*second.conf", World.SOON);
        culvert.awaitLine("tunnel: connected to " + world.lab.provider(1).outer4(), World.SOON);

        assertThat(world.node.whoami(Family.IPV4))
                .contains(world.lab.provider(1).outer4());
        assertThat(world.node.whoami(Family.IPV6))
                .contains(world.lab.provider(1).outer6());
        assertThat(world.status().server()).contains("second.conf");
        assertThat(world.observer.leaks()).isEmpty();
    }
}
