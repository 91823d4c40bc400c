package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Client;
import io.culvert.lab.Lab;
import io.culvert.lab.Provider;
import io.culvert.lab.Pulse;
import io.culvert.lab.Shape;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One node runs all the time, and so does the traffic of a local process and of a phone, in both families. Things go
 * wrong around them: nothing leaks, and everybody is served again without a restart.
 */
@Tag("lab")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class FaultsTest {

    private final World world = World.of(Shape.USUAL.uplink("enp3s0"));
    private Child culvert;
    private List<Pulse> local;
    private List<Pulse> phones;

    @BeforeAll
    void start() {
        world.observerIsNotBlind(Family.values());
        culvert = world.connect(world.settings(Map.of()));
        world.lab.client().useExitNode();
        local = List.of(Pulse.of(world.space(), Family.IPV4), Pulse.of(world.space(), Family.IPV6));
        phones = List.of(
                Pulse.of(world.lab.client().space(), Family.IPV4),
                Pulse.of(world.lab.client().space(), Family.IPV6));
        everybodyIsServed();
    }

    @AfterEach
    void nothing_leaked_and_everybody_is_served_again() {
        everybodyIsServed();
        assertThat(world.observer.leaks()).isEmpty();
        for (Pulse pulse : local) {
            assertThat(pulse.seen()).isSubsetOf(world.provider(Family.IPV4), world.provider(Family.IPV6));
        }
        assertThat(culvert.isAlive()).isTrue();
    }

    @AfterAll
    void stop() {
        local.forEach(Pulse::close);
        phones.forEach(Pulse::close);
        world.close();
    }

    private void everybodyIsServed() {
        localIsServed();
        phones.get(0).awaitAnswer(world.provider(Family.IPV4), World.SOON);
        phones.get(1).awaitAnswer(world.provider(Family.IPV6), World.SOON);
    }

    private void localIsServed() {
        local.get(0).awaitAnswer(world.provider(Family.IPV4), World.SOON);
        local.get(1).awaitAnswer(world.provider(Family.IPV6), World.SOON);
    }

    private void phoneIsClosed() {
        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).isEmpty();
        }
    }

    /** While the program sleeps it puts nothing back: what holds then holds by itself. */
    private void asleep(Runnable story) {
        culvert.signal("STOP");
        try {
            story.run();
        } finally {
            culvert.signal("CONT");
        }
    }

    @Test
    void the_tunnel_s_link_is_deleted() {
        culvert.fromNow();
        world.space().run("ip", "link", "delete", "wg0");
        culvert.awaitLine("tunnel: connected to", World.SOON);
    }

    @Test
    void the_tunnel_s_link_is_set_down() {
        culvert.fromNow();
        world.space().run("ip", "link", "set", "wg0", "down");
        culvert.awaitLine("network: ip link set", World.SOON);
    }

    @Test
    void the_mesh_s_link_is_deleted() {
        culvert.fromNow();
        world.space().run("ip", "link", "delete", "mesh0");
        culvert.awaitLine("network: ip -4 address add 10.77.0.1", World.SOON);
    }

    /** Their packets came by the mesh, so the provider is not to see who they are. */
    @Test
    void what_is_for_the_mesh_does_not_go_to_the_provider_when_the_mesh_s_link_is_deleted() {
        world.lab.provider().watchFor(Client.MESH_CLIENT_4, Client.MESH_CLIENT_6);
        culvert.fromNow();
        asleep(() -> {
            world.space().run("ip", "link", "delete", "mesh0");
            speakToPhone();
            for (String family : List.of("-4", "-6")) {
                world.space().run("ip", family, "rule", "add", "pref", "10", "lookup", "51820");
            }
            speakToPhone();
            assertThat(world.lab.provider().watched()).as("by either layer").isZero();

            world.space().run("nft", "delete", "table", "inet", "culvert");
            speakToPhone();
            assertThat(world.lab.provider().watched())
                    .as("what nobody guards reaches the provider")
                    .isPositive();
            for (String family : List.of("-4", "-6")) {
                world.space().run("ip", family, "rule", "delete", "pref", "10");
            }
            assertThat(world.space()
                            .attempt("ip", "route", "get", Client.MESH_CLIENT_4)
                            .err())
                    .as("by routing alone")
                    .contains("No route to host");
        });
        culvert.awaitLine("network: ip -4 address add 10.77.0.1", World.SOON);
    }

    private void speakToPhone() {
        for (String address : List.of(Client.MESH_CLIENT_4, Client.MESH_CLIENT_6)) {
            world.space().attempt("timeout", "2", "bash", "-c", "echo hello > /dev/udp/" + address + "/9");
        }
    }

    @Test
    void the_userspace_WireGuard_is_killed() {
        culvert.fromNow();
        culvert.descendant("wireguard-go", "wg0").destroyForcibly();
        culvert.awaitLine("tunnel: connected to", World.SOON);
    }

    @Test
    void the_tunnel_s_routing_table_is_flushed() {
        culvert.fromNow();
        world.space().run("ip", "-4", "route", "flush", "table", "51820");
        world.space().run("ip", "-6", "route", "flush", "table", "51820");
        culvert.awaitLine("network: ip -[46] route add", World.SOON);
    }

    @Test
    void routing_alone_holds_without_nftables_and_both_are_put_back() {
        asleep(() -> {
            world.space().run("nft", "flush", "ruleset");
            world.space().run("ip", "link", "delete", "wg0");
            world.localTrafficIsClosed(Family.values());
            phoneIsClosed();
            culvert.fromNow();
        });
        culvert.awaitLine("kill switch: reverted an external change: nftables ruleset reloaded", World.SOON);
        culvert.awaitLine("tunnel: connected to", World.SOON);
        assertThat(world.status().guard()).containsEntry("nftables", true).containsEntry("routing", true);
    }

    @Test
    void nftables_alone_hold_without_our_rules_and_both_are_put_back() {
        asleep(() -> {
            deleteOurRules();
            world.localTrafficIsClosed(Family.values());
            phoneIsClosed();
            culvert.fromNow();
        });
        culvert.awaitLine("kill switch: reverted an external change: ip -4 rule add", World.SOON);
        assertThat(world.status().guard()).containsEntry("nftables", true).containsEntry("routing", true);
    }

    private void deleteOurRules() {
        for (String family : List.of("-4", "-6")) {
            world.space()
                    .run("ip", family, "rule")
                    .lines()
                    .map(line -> line.split(":", 2)[0])
                    .filter(preference -> preference.startsWith("5"))
                    .forEach(preference -> world.space().run("ip", family, "rule", "delete", "preference", preference));
        }
    }

    @Test
    void more_specific_routes_are_injected_into_main() {
        world.space()
                .ip(
                        "route add 198.51.100.0/25 via " + Lab.ROUTER_4,
                        "route add 198.51.100.10/32 dev enp3s0",
                        "route add 2001:db8:1::/64 via " + Lab.ROUTER_6,
                        "route add " + Lab.SERVER_6 + "/128 dev enp3s0");
        try {
            everybodyIsServed();
            world.localTrafficGoesByTheProvider(Family.values());
        } finally {
            world.space()
                    .ip(
                            "route delete 198.51.100.0/25",
                            "route delete 198.51.100.10/32",
                            "route delete 2001:db8:1::/64",
                            "route delete " + Lab.SERVER_6 + "/128");
        }
    }

    @Test
    void a_route_on_the_link_covers_the_internet_by_an_address_of_the_link() {
        world.space().ip("address add 198.51.100.200/24 dev enp3s0", "address add 2001:db8:1::200/64 dev enp3s0 nodad");
        try {
            everybodyIsServed();
            world.localTrafficGoesByTheProvider(Family.values());
        } finally {
            world.space()
                    .ip("address delete 198.51.100.200/24 dev enp3s0", "address delete 2001:db8:1::200/64 dev enp3s0");
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_process_binds_the_uplink_s_own_address(Family family) {
        boolean v4 = family == Family.IPV4;
        String server = v4 ? Lab.SERVER_4 : "[" + Lab.SERVER_6 + "]";
        String own = v4 ? Lab.NODE_4 : Lab.NODE_6;
        // By its address it goes through the tunnel like everybody, by its link it goes nowhere.
        assertThat(ask("--interface", own, "http://" + server + "/")).isIn("", world.provider(family));
        assertThat(ask("--interface", "enp3s0", "http://" + server + "/")).isEmpty();
        asleep(() -> {
            world.space().run("ip", "link", "delete", "wg0");
            assertThat(ask("--interface", own, "http://" + server + "/")).isEmpty();
            assertThat(ask("--interface", "enp3s0", "http://" + server + "/")).isEmpty();
        });
    }

    private String ask(String... arguments) {
        return world.space()
                .attempt(Stream.concat(Stream.of("curl", "-s", "--max-time", "2"), Stream.of(arguments))
                        .toArray(String[]::new))
                .out()
                .strip();
    }

    @Test
    void a_process_sends_clear_packets_to_the_server_s_own_port() {
        for (String protocol : List.of("udp", "tcp")) {
            world.space()
                    .attempt(
                            "timeout",
                            "2",
                            "bash",
                            "-c",
                            "echo hello > /dev/%s/%s/%d"
                                    .formatted(protocol, world.lab.provider().outer4(), Provider.PORT));
        }
    }

    @Test
    void the_uplink_goes_down_and_comes_up() {
        world.space().run("ip", "link", "set", "enp3s0", "down");
        // The observer sees nothing on a dead wire: it is asked when the link is up again.
        world.nobodyIsReached(Family.values());
        world.space().ip("link set enp3s0 up", "route add default via " + Lab.ROUTER_4 + " dev enp3s0");
        world.space().ip("address replace " + Lab.NODE_6 + "/64 dev enp3s0 nodad");
        world.space().ip("route replace default via " + Lab.ROUTER_6 + " dev enp3s0");
    }

    @Test
    void the_uplink_gets_another_address_and_another_gateway() {
        world.lab.router().ip("address add 192.0.2.2/26 dev lan", "address add 2001:db8:e::2/64 dev lan nodad");
        moveUplink(Lab.NODE_4, "192.0.2.30", "192.0.2.2");
        moveUplink(Lab.NODE_6, "2001:db8:e::30", "2001:db8:e::2");
        // The phones know the old address only: they are served if the node lets them hear from the new one by itself.
        everybodyIsServed();
        world.localTrafficGoesByTheProvider(Family.values());
        moveUplink("192.0.2.30", Lab.NODE_4, Lab.ROUTER_4);
        moveUplink("2001:db8:e::30", Lab.NODE_6, Lab.ROUTER_6);
    }

    private void moveUplink(String from, String to, String gateway) {
        String length = from.contains(":") ? "/64" : "/26";
        world.space()
                .ip(
                        "address delete " + from + length + " dev enp3s0",
                        "address add " + to + length + " dev enp3s0" + (from.contains(":") ? " nodad" : ""),
                        "route replace default via " + gateway + " dev enp3s0");
    }

    @Test
    void the_provider_falls_silent_and_speaks_again() {
        world.lab.provider().fallSilent();
        world.localTrafficIsClosed(Family.values());
        phoneIsClosed();
        world.lab.provider().speak();
    }

    @Test
    void the_provider_dies_and_returns() {
        world.lab.provider().die();
        world.localTrafficIsClosed(Family.values());
        phoneIsClosed();
        world.lab.provider().live();
    }

    @Test
    void resolv_conf_is_overwritten_by_somebody() {
        world.lab.node().resolvConf("nameserver " + Lab.RESOLVER_4 + "\n");
        assertThat(world.node.resolve(Lab.RESOLVER_4, "overwritten.example", Family.IPV4))
                .containsExactly(Lab.SERVER_4);
        assertThat(world.lab.internet().questions())
                .filteredOn(question -> question.name().equals("overwritten.example."))
                .isNotEmpty()
                .allSatisfy(question ->
                        assertThat(question.asker()).isIn(world.provider(Family.IPV4), world.provider(Family.IPV6)));
    }
}
