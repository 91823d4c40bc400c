package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Namespace;
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

/** A node in more than one network, or in one without a default route. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class SeveralNetworksTest {

    private static final String NODE_4 = "172.31.0.2";
    private static final String NODE_6 = "2001:db8:31::2";
    private static final String NEAR_4 = "172.31.0.9";
    private static final String NEAR_6 = "2001:db8:31::9";
    private static final String FAR_4 = "198.51.100.77";
    private static final String FAR_6 = "2001:db8:77::7";

    private World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    /** A second network of the node and its neighbour, who is a router there. */
    private void connectSecondNetwork() {
        Namespace node = world.space();
        Namespace neighbour = world.lab.neighbour();
        node.ip("link add eth1 index 77 type veth peer name eth1 netns " + neighbour.name() + " index 78");
        node.ip(
                "link set eth1 up",
                "address add " + NODE_4 + "/24 dev eth1",
                "address add " + NODE_6 + "/64 dev eth1 nodad");
        neighbour.ip(
                "link set eth1 up",
                "address add " + NEAR_4 + "/24 dev eth1",
                "address add " + NEAR_6 + "/64 dev eth1 nodad",
                "address add " + FAR_4 + "/32 dev lo",
                "address add " + FAR_6 + "/128 dev lo nodad");
    }

    private String ask(String source, String address) {
        String host = address.contains(":") ? "[" + address + "]" : address;
        return world.lab
                .neighbour()
                .attempt("curl", "-s", "--max-time", "2", "--interface", source, "http://" + host + ":8080/")
                .out()
                .strip();
    }

    private void withoutDefaultRoutes() {
        world.space().run("ip", "-4", "route", "del", "default");
        world.space().run("ip", "-6", "route", "del", "default");
    }

    private void isAnsweredByBoth() {
        assertThat(ask(NEAR_4, NODE_4)).isEqualTo(NEAR_4);
        assertThat(ask(NEAR_6, NODE_6)).isEqualTo(NEAR_6);
        assertThat(World.ask(world.lab.neighbour(), Lab.NODE_4, 8080)).isEqualTo(Lab.NEIGHBOUR_4);
        assertThat(World.ask(world.lab.internet().space(), Lab.NODE_4, 8080)).isNotEmpty();
        assertThat(World.ask(world.lab.internet().space(), Lab.NODE_6, 8080)).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void published_ports_answer_on_each_network(boolean strict) {
        if (strict) {
            world.close();
            world = World.of(Shape.USUAL.withStrictReversePath());
        }
        connectSecondNetwork();
        World.serve(world.space(), 8080);
        assertThat(ask(NEAR_4, NODE_4)).isEqualTo(NEAR_4);

        world.connect(World.alone(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));

        world.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);
        isAnsweredByBoth();
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void who_comes_from_far_by_a_second_default_route_is_answered_by_it(boolean strict) {
        if (strict) {
            world.close();
            world = World.of(Shape.USUAL.withStrictReversePath());
        }
        connectSecondNetwork();
        world.space()
                .ip(
                        "route add default via " + NEAR_4 + " metric 200",
                        "route add default via " + NEAR_6 + " metric 2000");
        World.serve(world.space(), 8080);

        world.connect(World.alone(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));

        world.observer.allow(
                "answers of the published port",
                packet -> packet.isTo(Lab.NEIGHBOUR_4)
                        || packet.isTo(Lab.NEIGHBOUR_6)
                        || packet.isTo(Lab.SERVER_4)
                        || packet.isTo(Lab.SERVER_6)
                        || packet.sourcePort() == 8080);
        // By the router's own address, so that it has resolved the node's: Linux does so with the source of what it
        // sends, and the
        // strict reverse path applies to ARP requests as well.
        isAnsweredByBoth();
        assertThat(ask(FAR_4, NODE_4)).isEqualTo(FAR_4);
        assertThat(ask(FAR_6, NODE_6)).isEqualTo(FAR_6);
    }

    /** Nobody knows a gateway there, so answers go where they would go without us: by the usual uplink. */
    @Test
    void who_comes_from_far_by_a_network_without_a_default_route_is_answered_by_the_usual_one() {
        farIsReachedByTheUplink();
        World.serve(world.space(), 8080);
        assertThat(ask(FAR_4, NODE_4)).as("without the program").isEqualTo(FAR_4);

        world.connect(World.alone(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));

        world.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);
        assertThat(ask(FAR_4, NODE_4)).isEqualTo(FAR_4);
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @Test
    void a_strict_reverse_path_stops_such_a_client_with_and_without_us_until_there_is_a_route_back() {
        world.close();
        world = World.of(Shape.USUAL.withStrictReversePath());
        farIsReachedByTheUplink();
        World.serve(world.space(), 8080);
        assertThat(ask(FAR_4, NODE_4)).as("without the program").isEmpty();

        world.connect(World.alone(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));
        world.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);
        assertThat(ask(FAR_4, NODE_4)).isEmpty();

        world.space().ip("route add " + FAR_4 + "/32 via " + NEAR_4 + " dev eth1");
        assertThat(ask(FAR_4, NODE_4)).isEqualTo(FAR_4);
        world.localTrafficGoesByTheProvider(Family.values());
    }

    /** The second network's neighbour takes answers by the first network, too. */
    private void farIsReachedByTheUplink() {
        connectSecondNetwork();
        world.lab.router().ip("route add " + FAR_4 + "/32 via " + Lab.NEIGHBOUR_4);
        for (String link : new String[] {"all", "eth0", "eth1"}) {
            world.lab.neighbour().run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/conf/" + link + "/rp_filter");
        }
    }

    @Test
    void a_network_that_is_connected_later_is_served_as_well() {
        World.serve(world.space(), 8080);
        Child culvert = world.connect(World.alone(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));

        connectSecondNetwork();

        culvert.awaitLine("kill switch: updated: ip -4 rule add pref 5191 from " + NODE_4, World.SOON);
        culvert.awaitLine("kill switch: updated: ip -6 rule add pref 5191 from " + NODE_6, World.SOON);
        world.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);
        isAnsweredByBoth();
        world.localTrafficGoesByTheProvider(Family.values());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "route add 203.0.113.10/32 via 192.0.2.1",
                "route add 203.0.113.0/24 via 192.0.2.1 metric 300",
                "route add 0.0.0.0/1 via 192.0.2.1;route add 128.0.0.0/1 via 192.0.2.1",
                "route add default via 192.0.2.1 table 100;rule add pref 6000 lookup 100",
                "route add default dev eth0 via 192.0.2.1 onlink",
            })
    void the_server_is_reached_without_a_default_route_in_main(String routes) {
        withoutDefaultRoutes();
        world.space().ip(routes.split(";", -1));

        world.connect(World.alone(Map.of()));

        world.localTrafficGoesByTheProvider(Family.IPV4);
    }

    @Test
    void the_server_is_reached_by_IPv6_without_a_default_route() {
        world.observer.allowWireGuardTo(world.lab.provider().outer6(), 51820);
        world.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        world.lab.provider().file("[" + world.lab.provider().outer6() + "]:51820", "0.0.0.0/0, ::/0"));
        withoutDefaultRoutes();
        world.space().ip("route add 2001:db8:f::/64 via " + Lab.ROUTER_6);

        world.connect(World.alone(Map.of()));

        world.localTrafficGoesByTheProvider(Family.IPV4);
    }

    @Test
    void a_route_to_the_server_that_comes_later_is_found() {
        withoutDefaultRoutes();
        Child culvert = world.start(World.alone(Map.of()));
        culvert.awaitLine("no route|no default route|no uplink", World.SOON);
        culvert.awaitLine("kill switch: active", World.SOON);

        // With its link: without it, the kernel looks for the gateway where any packet would go.
        world.space().ip("route add 203.0.113.10/32 via 192.0.2.1 dev eth0");

        culvert.awaitLine("connected to", World.SOON);
        world.localTrafficGoesByTheProvider(Family.IPV4);
    }

    private void isRefused(String... sentences) {
        for (String command : new String[] {"check", "up"}) {
            Outcome outcome = world.run(World.alone(Map.of()), command);
            assertThat(outcome.status()).as(outcome.out() + outcome.err()).isEqualTo(3);
            assertThat(outcome.out() + outcome.err()).contains(sentences);
        }
    }

    @Test
    void an_address_that_is_the_same_inside_and_outside_is_named_at_once() {
        world.space().ip("address add " + world.lab.provider().customer4() + "/24 dev eth0");
        isRefused("provider.conf: Address 10.64.0.2/32 is an address of this machine's eth0", "another subnet");
    }

    @Test
    void the_same_in_IPv6() {
        world.space().ip("address add " + world.lab.provider().customer6() + "/64 dev eth0 nodad");
        isRefused("provider.conf: Address fd00:64::2/128 is an address of this machine's eth0");
    }

    @Test
    void a_gateway_with_the_tunnels_address_is_named_at_once() {
        world.space()
                .ip(
                        "address add 10.64.0.77/24 dev eth0",
                        "route add 198.51.100.0/24 via " + world.lab.provider().customer4());
        isRefused("Address 10.64.0.2/32 is the address of this machine's gateway on eth0");
    }

    @Test
    void a_tunnel_address_within_the_uplinks_network_works() {
        world.space().ip("address add 10.64.0.77/24 dev eth0");

        Child culvert = world.connect(World.alone(Map.of()));

        assertThat(culvert.output()).contains("the DNS server 10.64.0.1 is in the local network 10.64.0.0/24");
        world.localTrafficGoesByTheProvider(Family.values());
        assertThat(world.space()
                        .run("curl", "-s", "--max-time", "10", "http://web.example/")
                        .strip())
                .isNotEmpty();
    }

    @Test
    void an_address_that_becomes_the_tunnels_while_it_runs_is_told() {
        Child culvert = world.connect(World.alone(Map.of()));

        world.space().ip("address add " + world.lab.provider().customer4() + "/24 dev eth0");

        culvert.awaitLine("Address 10.64.0.2/32 is an address of this machine's eth0", World.SOON);
    }

    @Test
    void a_server_by_IPv6_only_is_named_where_there_is_no_IPv6_and_the_hint_helps() {
        world.lab
                .node()
                .wireGuardFile(
                        "provider.conf",
                        world.lab.provider().file("[" + world.lab.provider().outer6() + "]:51820", "0.0.0.0/0, ::/0"));
        world.observer.allowWireGuardTo(world.lab.provider().outer6(), 51820);
        world.space().run("ip", "-6", "route", "del", "default");
        world.space().ip("address del " + Lab.NODE_6 + "/64 dev eth0");

        Outcome check = world.run(World.alone(Map.of()), "check");

        assertThat(check.status()).isEqualTo(3);
        assertThat(check.out()).contains("no IPv6 route to the server", "network with IPv6");
        Child culvert = world.start(World.alone(Map.of()));
        culvert.awaitLine("no IPv6 route to the server", World.SOON);
        culvert.awaitLine("no route to it", World.SOON);

        // As the hint says.
        world.space().ip("address add " + Lab.NODE_6 + "/64 dev eth0 nodad", "route add default via " + Lab.ROUTER_6);

        culvert.awaitLine("connected to", World.SOON);
    }

    @Test
    void an_uplink_with_the_tunnels_name_is_to_be_called_otherwise() {
        world.close();
        world = World.of(Shape.USUAL.uplink("wg0"));

        Outcome check = world.run(World.alone(Map.of()), "check");

        assertThat(check.status()).isEqualTo(3);
        assertThat(check.out())
                .contains("the uplink has the name that the tunnel's interface needs", "interface_name")
                .doesNotContain("wg-quick down");

        // As the hint says.
        world.space()
                .ip(
                        "link set wg0 down",
                        "link set wg0 name eth0",
                        "link set eth0 up",
                        "route add default via " + Lab.ROUTER_4);
        world.connect(World.alone(Map.of()));
        world.localTrafficGoesByTheProvider(Family.IPV4);
    }
}
