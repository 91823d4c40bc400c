package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
import io.culvert.lab.Shape;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the user lets pass beside the tunnel, and that it is this and no more. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class BesideTheTunnelTest {

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    @Test
    void published_ports_answer_from_near_and_far_and_others_do_not() {
        world.observerIsNotBlind(Family.values());
        World.serve(world.space(), 8080);
        World.serve(world.space(), 8081);
        assertThat(World.ask(world.lab.neighbour(), Lab.NODE_4, 8081)).isEqualTo(Lab.NEIGHBOUR_4);
        world.connect(world.settings(Map.of("CULVERT_PUBLISH", "8080")));
        world.observer.forget();
        world.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);

        assertThat(World.ask(world.lab.neighbour(), Lab.NODE_4, 8080)).isEqualTo(Lab.NEIGHBOUR_4);
        assertThat(World.ask(world.lab.neighbour(), Lab.NODE_6, 8080)).isEqualTo(Lab.NEIGHBOUR_6);
        assertThat(World.ask(world.lab.internet().space(), Lab.NODE_4, 8080)).isNotEmpty();
        assertThat(World.ask(world.lab.internet().space(), Lab.NODE_6, 8080)).isNotEmpty();
        assertThat(World.ask(world.lab.client().space(), Lab.NODE_4, 8080)).isEqualTo(Lab.CLIENT_4);

        for (Namespace from :
                new Namespace[] {world.lab.neighbour(), world.lab.internet().space()}) {
            assertThat(World.ask(from, Lab.NODE_4, 8081)).isEmpty();
            assertThat(World.ask(from, Lab.NODE_6, 8081)).isEmpty();
        }
        // The provider's side reaches nothing at all, by the tunnel's addresses, published or not.
        for (int port : new int[] {8080, 8081, 53, 5053}) {
            assertThat(World.ask(
                            world.lab.provider().space(), world.lab.provider().customer4(), port))
                    .isEmpty();
            assertThat(World.ask(
                            world.lab.provider().space(), world.lab.provider().customer6(), port))
                    .isEmpty();
        }
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @Test
    void holes_are_for_local_processes_and_not_for_phones() {
        Map<String, String> settings = world.settings(Map.of(
                "CULVERT_HOLEPUNCH",
                "198.51.100.10:80/tcp [2001:db8:1::10]:80 198.51.100.53/32, 2001:db8:1::53/128/tcp web.example:7/udp"));
        world.observerIsNotBlind(Family.values());
        world.observer.allow("our questions for names", packet -> packet.destinationPort() == 53);
        world.observer.allow("the holes", packet -> packet.destinationPort() == 80 || packet.destinationPort() == 7);
        world.connect(settings).awaitLine("kill switch: updated: .*198.51.100.10.*dport 7", World.SOON);
        world.lab.client().useExitNode();

        assertThat(world.node.whoami(Family.IPV4)).contains(Lab.NODE_4);
        assertThat(world.node.whoami(Family.IPV6)).contains(Lab.NODE_6);
        assertThat(world.node.echo(Family.IPV4)).contains(Lab.NODE_4);
        assertThat(world.node.echo(Family.IPV6)).contains(Lab.NODE_6);
        assertThat(world.observer.leaks()).isEmpty();

        for (Family family : Family.values()) {
            assertThat(world.phone.whoami(family)).contains(world.provider(family));
            assertThat(world.phone.echo(family)).contains(world.provider(family));
        }
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void a_hole_to_a_host_name_goes_where_the_name_goes() {
        String before = "198.51.100.21";
        String after = "198.51.100.22";
        Namespace internet = world.lab.internet().space();
        internet.ip("address add " + before + "/32 dev lo", "address add " + after + "/32 dev lo");
        World.serve(internet, 8000);
        world.lab.internet().point("moving.example", before);
        world.observerIsNotBlind(Family.values());
        world.observer.allow("our questions for names", packet -> packet.destinationPort() == 53);
        world.observer.allow("the hole", packet -> packet.isTo(before) && packet.destinationPort() == 8000);
        Child culvert = world.connect(World.alone(Map.of("CULVERT_HOLEPUNCH", "moving.example:8000/tcp")));
        culvert.awaitLine("kill switch: updated: ip -4 rule add .*" + before, World.SOON);
        assertThat(World.ask(world.space(), before, 8000)).isEqualTo(Lab.NODE_4);
        assertThat(World.ask(world.space(), after, 8000)).isEqualTo(world.provider(Family.IPV4));
        assertThat(world.observer.leaks()).isEmpty();

        world.lab.internet().point("moving.example", after);
        culvert.awaitLine("kill switch: updated: ip -4 rule add .*" + after, Duration.ofMinutes(1));
        culvert.awaitLine("network: ip -4 rule del.* " + before, World.SOON);

        world.observer.forget();
        world.observer.allow("the hole", packet -> packet.isTo(after) && packet.destinationPort() == 8000);
        assertThat(World.ask(world.space(), after, 8000)).isEqualTo(Lab.NODE_4);
        assertThat(World.ask(world.space(), before, 8000)).isEqualTo(world.provider(Family.IPV4));
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void ten_thousand_holes_stand_and_lead_out() {
        world.observerIsNotBlind(Family.values());
        String many = IntStream.range(0, 10_000)
                .mapToObj(number -> number % 2 == 0
                        ? "198.18.%d.%d:443/tcp".formatted(number / 250, number % 250)
                        : "[2001:db8:aaaa::%x]:443/tcp".formatted(number))
                .collect(Collectors.joining(" "));
        world.observer.allow("the hole", packet -> packet.destinationPort() == 80);
        Map<String, String> settings = World.alone(Map.of(
                "CULVERT_HOLEPUNCH_FILE",
                world.lab.node().file("holes", many + " " + Lab.SERVER_4 + ":80/tcp [" + Lab.SERVER_6 + "]:80/tcp")));
        world.connect(settings);

        assertThat(world.node.whoami(Family.IPV4)).contains(Lab.NODE_4);
        assertThat(world.node.whoami(Family.IPV6)).contains(Lab.NODE_6);
        assertThat(world.node.echo(Family.IPV4)).contains(world.provider(Family.IPV4));
        assertThat(world.node.echo(Family.IPV6)).contains(world.provider(Family.IPV6));
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void a_private_network_that_is_connected_is_reached_by_local_processes_and_never_by_phones() {
        world.givePrivateAddresses();
        world.unguarded(() -> {
            for (String address : new String[] {World.PRIVATE_NEIGHBOUR_4, World.PRIVATE_NEIGHBOUR_6}) {
                assertThat(world.observer.sees(
                                () -> World.ask(world.lab.client().space(), address, 8000)))
                        .isTrue();
            }
        });
        world.connect(world.settings(Map.of()));
        world.lab.client().useExitNode();
        world.observer.allow(
                "the private network", packet -> packet.destinationPort() == 8000 || packet.sourcePort() == 8001);

        assertThat(World.ask(world.space(), World.PRIVATE_NEIGHBOUR_4, 8000)).isEqualTo(World.PRIVATE_NODE_4);
        assertThat(World.ask(world.space(), World.PRIVATE_NEIGHBOUR_6, 8000)).isEqualTo(World.PRIVATE_NODE_6);
        assertThat(World.ask(world.lab.neighbour(), World.PRIVATE_NODE_4, 8001)).isEqualTo(World.PRIVATE_NEIGHBOUR_4);
        assertThat(World.ask(world.lab.neighbour(), World.PRIVATE_NODE_6, 8001)).isEqualTo(World.PRIVATE_NEIGHBOUR_6);
        // Public addresses that are connected are the internet.
        assertThat(World.ask(world.space(), Lab.NEIGHBOUR_4, 8000)).isNotEqualTo(Lab.NODE_4);

        world.observer.forget();
        assertThat(World.ask(world.lab.client().space(), World.PRIVATE_NEIGHBOUR_4, 8000))
                .isEmpty();
        assertThat(World.ask(world.lab.client().space(), World.PRIVATE_NEIGHBOUR_6, 8000))
                .isEmpty();
        assertThat(world.observer.count("the private network")).isZero();
        assertThat(world.observer.leaks()).isEmpty();
    }

    @Test
    void no_local_network_or_another_one_when_the_user_says_so() {
        world.givePrivateAddresses();
        assertThat(World.ask(world.space(), World.PRIVATE_NEIGHBOUR_4, 8000)).isEqualTo(World.PRIVATE_NODE_4);
        try (var culvert = world.connect(World.alone(Map.of("CULVERT_LAN_ALLOW", "none")))) {
            world.observer.forget();
            assertThat(World.ask(world.space(), World.PRIVATE_NEIGHBOUR_4, 8000))
                    .isEmpty();
            assertThat(World.ask(world.space(), World.PRIVATE_NEIGHBOUR_6, 8000))
                    .isEmpty();
            assertThat(World.ask(world.lab.neighbour(), World.PRIVATE_NODE_4, 8001))
                    .isEmpty();
            assertThat(world.observer.leaks()).isEmpty();
            culvert.kill();
        }
        world.connect(World.alone(Map.of("CULVERT_LAN_ALLOW", "192.0.2.0/26 2001:db8:e::/64")));
        assertThat(World.ask(world.space(), Lab.NEIGHBOUR_4, 8000)).isEqualTo(Lab.NODE_4);
        assertThat(World.ask(world.space(), Lab.NEIGHBOUR_6, 8000)).isEqualTo(Lab.NODE_6);
        assertThat(World.ask(world.space(), World.PRIVATE_NEIGHBOUR_4, 8000)).isEmpty();
    }
}
