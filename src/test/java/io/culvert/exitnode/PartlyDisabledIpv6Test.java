package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Outcome;
import io.culvert.lab.Shape;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Containers whose links have IPv6 here and not there, and tunnels that are too small for it. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class PartlyDisabledIpv6Test {

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    /** As an engine does it: the switches first, the addresses after them. */
    private void switches(String settings) {
        world.observerIsNotBlind(Family.values());
        for (String setting : settings.split(" ", -1)) {
            world.space().sysctl("net.ipv6.conf." + setting.replace("=", ".disable_ipv6="));
        }
        if (settings.contains("all=1")) {
            world.space()
                    .ip(
                            "address add " + Lab.NODE_6 + "/64 dev eth0 nodad",
                            "route add default via " + Lab.ROUTER_6 + " dev eth0");
        }
        assertThat(world.observer.sees(() -> world.node.whoami(Family.IPV6))).isTrue();
    }

    private void ipv4WorksAndIpv6IsClosed() {
        world.lab.client().useExitNode();
        world.localTrafficGoesByTheProvider(Family.IPV4);
        assertThat(world.phone.whoami(Family.IPV4)).contains(world.provider(Family.IPV4));
        world.localTrafficIsClosed(Family.IPV6);
        assertThat(world.phone.whoami(Family.IPV6)).isEmpty();
        assertThat(world.observer.leaks()).isEmpty();
    }

    private static long warnings(String output) {
        return output.lines().filter(line -> line.contains("IPv6 is blocked")).count();
    }

    @ParameterizedTest
    @ValueSource(strings = {"all=1 eth0=0 lo=0", "all=1 eth0=0", "default=1", "default=1 lo=1"})
    void where_a_new_link_gets_no_ipv6_it_is_closed_with_one_warning(String settings) {
        switches(settings);
        Outcome check = world.run(world.settings(Map.of()), "check");

        Child culvert = world.connect(world.settings(Map.of()));

        ipv4WorksAndIpv6IsClosed();
        assertThat(culvert.output())
                .contains("net.ipv6.conf.default.disable_ipv6: warning: is 1, so there is no IPv6 on wg0 and mesh0")
                .contains("--sysctl net.ipv6.conf.default.disable_ipv6=0");
        assertThat(warnings(culvert.output())).isEqualTo(1);
        assertThat(check.status()).isZero();
        assertThat(check.out()).contains("net.ipv6.conf.default.disable_ipv6: is 1");
    }

    @Test
    void the_stub_does_without_ipv6_where_loopback_has_none() {
        switches("lo=1");

        Child culvert = world.connect(World.alone(Map.of()));

        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(warnings(culvert.output())).isZero();
        assertThat(world.lab.node().resolvConf())
                .contains("nameserver 127.0.0.1")
                .doesNotContain("::1");
    }

    @Test
    void ipv6_that_is_switched_off_on_the_tunnel_alone_is_closed_until_it_is_on_again() {
        world.observerIsNotBlind(Family.values());
        Child culvert = world.connect(World.alone(Map.of()));
        world.localTrafficGoesByTheProvider(Family.values());

        culvert.fromNow();
        world.space().sysctl("net.ipv6.conf.wg0.disable_ipv6=1");
        culvert.awaitLine("net.ipv6.conf.wg0.disable_ipv6: warning: is 1", World.SOON);
        world.localTrafficGoesByTheProvider(Family.IPV4);
        world.localTrafficIsClosed(Family.IPV6);

        world.space().sysctl("net.ipv6.conf.wg0.disable_ipv6=0");
        culvert.awaitLine("network: ip -6 route (add|replace) .*wg0", World.SOON);
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @ParameterizedTest
    @CsvSource({"setting, CULVERT_MTU", "file, MTU in its file", "uplink, for a path MTU of 1280"})
    void a_tunnel_that_is_too_small_for_ipv6_closes_it_with_one_warning(String where, String origin) {
        world.observerIsNotBlind(Family.values());
        Map<String, String> more = Map.of();
        switch (where) {
            case "setting" -> more = Map.of("CULVERT_MTU", "1200");
            case "file" ->
                world.lab
                        .node()
                        .wireGuardFile(
                                "provider.conf",
                                world.lab.provider().file().replace("[Interface]", "[Interface]\nMTU = 1200"));
            default -> world.space().ip("link set eth0 mtu 1280");
        }
        Outcome check = world.run(World.alone(more), "check");

        Child culvert = world.connect(World.alone(more));

        world.localTrafficGoesByTheProvider(Family.IPV4);
        world.localTrafficIsClosed(Family.IPV6);
        assertThat(culvert.output()).contains("wg0: warning: its MTU is 12").contains(origin);
        assertThat(warnings(culvert.output())).isEqualTo(1);
        assertThat(check.status()).isZero();
        assertThat(check.out()).contains(origin);
    }
}
