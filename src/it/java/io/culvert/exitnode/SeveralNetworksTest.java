// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNamespace;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A node in more than one network, or in one without a default route. */
@NamespaceTest
class SeveralNetworksTest {

    private static final String NODE_IPV4 = "172.31.0.2";
    private static final String NODE_IPV6 = "2001:db8:31::2";
    private static final String NEAR_4 = "172.31.0.9";
    private static final String NEAR_6 = "2001:db8:31::9";
    private static final String FAR_4 = "198.51.100.77";
    private static final String FAR_6 = "2001:db8:77::7";

    private ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    /** A second network of the node and the LAN host, which is a router there. */
    private void connectSecondNetwork() {
        LabNamespace node = fixture.namespace();
        LabNamespace lanHost = fixture.lab.lanHost();
        node.ip("link add eth1 index 77 type veth peer name eth1 netns " + lanHost.name() + " index 78");
        node.ip(
                "link set eth1 up",
                "address add " + NODE_IPV4 + "/24 dev eth1",
                "address add " + NODE_IPV6 + "/64 dev eth1 nodad");
        lanHost.ip(
                "link set eth1 up",
                "address add " + NEAR_4 + "/24 dev eth1",
                "address add " + NEAR_6 + "/64 dev eth1 nodad",
                "address add " + FAR_4 + "/32 dev lo",
                "address add " + FAR_6 + "/128 dev lo nodad");
    }

    private String ask(String source, String address) {
        String host = address.contains(":") ? "[" + address + "]" : address;
        return fixture.lab
                .lanHost()
                .attempt("curl", "-s", "--max-time", "2", "--interface", source, "http://" + host + ":8080/")
                .out()
                .strip();
    }

    private void withoutDefaultRoutes() {
        fixture.namespace().run("ip", "-4", "route", "del", "default");
        fixture.namespace().run("ip", "-6", "route", "del", "default");
    }

    private void assertBothAddressFamiliesReply() {
        assertThat(ask(NEAR_4, NODE_IPV4)).isEqualTo(NEAR_4);
        assertThat(ask(NEAR_6, NODE_IPV6)).isEqualTo(NEAR_6);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.lanHost(), Lab.NODE_IPV4, 8080))
                .isEqualTo(Lab.LAN_HOST_IPV4);
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.internet().namespace(), Lab.NODE_IPV4, 8080))
                .isNotEmpty();
        assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.internet().namespace(), Lab.NODE_IPV6, 8080))
                .isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void published_ports_respond_on_each_network(boolean strict) {
        if (strict) {
            fixture.close();
            fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.withStrictReversePath());
        }
        connectSecondNetwork();
        ExitNodeFixture.serve(fixture.namespace(), 8080);
        assertThat(ask(NEAR_4, NODE_IPV4)).isEqualTo(NEAR_4);

        fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));

        fixture.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);
        assertBothAddressFamiliesReply();
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void remote_clients_over_a_second_default_route_receive_replies_over_it(boolean strict) {
        if (strict) {
            fixture.close();
            fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.withStrictReversePath());
        }
        connectSecondNetwork();
        fixture.namespace()
                .ip(
                        "route add default via " + NEAR_4 + " metric 200",
                        "route add default via " + NEAR_6 + " metric 2000");
        ExitNodeFixture.serve(fixture.namespace(), 8080);

        fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));

        fixture.observer.allow(
                "answers of the published port",
                packet -> packet.isTo(Lab.LAN_HOST_IPV4)
                        || packet.isTo(Lab.LAN_HOST_IPV6)
                        || packet.isTo(Lab.SERVER_IPV4)
                        || packet.isTo(Lab.SERVER_IPV6)
                        || packet.sourcePort() == 8080);
        // From the router's own address, so that it resolves the node's: Linux sends ARP requests with the source of
        // what it
        // sends, and the
        // strict reverse path applies to ARP requests as well.
        assertBothAddressFamiliesReply();
        assertThat(ask(FAR_4, NODE_IPV4)).isEqualTo(FAR_4);
        assertThat(ask(FAR_6, NODE_IPV6)).isEqualTo(FAR_6);
    }

    /** No gateway is known there, so replies take the main uplink, as without Culvert. */
    @Test
    void remote_clients_over_a_network_without_default_route_receive_replies_over_the_main_one() {
        assertRemoteClientUsesUplink();
        ExitNodeFixture.serve(fixture.namespace(), 8080);
        assertThat(ask(FAR_4, NODE_IPV4)).as("without the program").isEqualTo(FAR_4);

        fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));

        fixture.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);
        assertThat(ask(FAR_4, NODE_IPV4)).isEqualTo(FAR_4);
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void a_strict_reverse_path_filter_drops_such_a_client_until_there_is_a_route_to_it() {
        fixture.close();
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.withStrictReversePath());
        assertRemoteClientUsesUplink();
        ExitNodeFixture.serve(fixture.namespace(), 8080);
        assertThat(ask(FAR_4, NODE_IPV4)).as("without the program").isEmpty();

        fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));
        fixture.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);
        assertThat(ask(FAR_4, NODE_IPV4)).isEmpty();

        fixture.namespace().ip("route add " + FAR_4 + "/32 via " + NEAR_4 + " dev eth1");
        assertThat(ask(FAR_4, NODE_IPV4)).isEqualTo(FAR_4);
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    /** The host in the second network accepts replies over the first network too. */
    private void assertRemoteClientUsesUplink() {
        connectSecondNetwork();
        fixture.lab.router().ip("route add " + FAR_4 + "/32 via " + Lab.LAN_HOST_IPV4);
        for (String link : new String[] {"all", "eth0", "eth1"}) {
            fixture.lab.lanHost().run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/conf/" + link + "/rp_filter");
        }
    }

    @Test
    void a_network_that_is_connected_later_is_served_too() {
        ExitNodeFixture.serve(fixture.namespace(), 8080);
        RunningProgram culvert = fixture.connect(
                ExitNodeFixture.withoutMesh(Map.of("CULVERT_PUBLISH", "8080", "CULVERT_LAN_ALLOW", "none")));

        connectSecondNetwork();

        culvert.awaitLine("kill switch: updated: ip -4 rule add pref 5191 from " + NODE_IPV4, ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("kill switch: updated: ip -6 rule add pref 5191 from " + NODE_IPV6, ExitNodeFixture.TIMEOUT);
        fixture.observer.allow("answers of the published port", packet -> packet.sourcePort() == 8080);
        assertBothAddressFamiliesReply();
        fixture.assertLocalTrafficUsesTunnel(Family.values());
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
    void the_server_is_reached_without_a_default_route_in_the_main_table(String routes) {
        withoutDefaultRoutes();
        fixture.namespace().ip(routes.split(";", -1));

        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
    }

    @Test
    void the_server_is_reached_by_IPv6_without_a_default_route() {
        fixture.observer.allowWireGuardTo(fixture.lab.provider().publicIpv6(), 51820);
        fixture.configureEndpoint("[" + fixture.lab.provider().publicIpv6() + "]:51820");
        withoutDefaultRoutes();
        fixture.namespace().ip("route add 2001:db8:f::/64 via " + Lab.ROUTER_IPV6);

        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
    }

    @Test
    void a_route_to_the_server_that_is_added_later_is_used() {
        withoutDefaultRoutes();
        RunningProgram culvert = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("no route|no default route|no uplink", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("kill switch: active", ExitNodeFixture.TIMEOUT);

        // With its interface: without it, the kernel looks up the gateway in the routing rules.
        fixture.namespace().ip("route add 203.0.113.10/32 via 192.0.2.1 dev eth0");

        culvert.awaitLine("connected to", ExitNodeFixture.TIMEOUT);
        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
    }

    private void assertRefused(String... sentences) {
        for (String command : new String[] {"check", "up"}) {
            CommandResult outcome = fixture.run(ExitNodeFixture.withoutMesh(Map.of()), command);
            assertThat(outcome.status()).as(outcome.out() + outcome.err()).isEqualTo(3);
            assertThat(outcome.out() + outcome.err()).contains(sentences);
        }
    }

    @Test
    void an_address_on_both_the_tunnel_and_the_uplink_is_reported_at_the_start() {
        fixture.namespace().ip("address add " + fixture.lab.provider().customerIpv4() + "/24 dev eth0");
        assertRefused("provider.conf: Address 10.64.0.2/32 is an address of this machine's eth0", "another subnet");
    }

    @Test
    void an_IPv6_address_on_both_the_tunnel_and_the_uplink_is_reported_at_the_start() {
        fixture.namespace().ip("address add " + fixture.lab.provider().customerIpv6() + "/64 dev eth0 nodad");
        assertRefused("provider.conf: Address fd00:64::2/128 is an address of this machine's eth0");
    }

    @Test
    void a_gateway_with_the_tunnels_address_is_reported_at_the_start() {
        fixture.namespace()
                .ip(
                        "address add 10.64.0.77/24 dev eth0",
                        "route add 198.51.100.0/24 via "
                                + fixture.lab.provider().customerIpv4());
        assertRefused("Address 10.64.0.2/32 is the address of this machine's gateway on eth0");
    }

    @Test
    void a_tunnel_address_within_the_uplinks_network_works() {
        fixture.namespace().ip("address add 10.64.0.77/24 dev eth0");

        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        assertThat(culvert.output()).contains("the DNS server 10.64.0.1 is in the local network 10.64.0.0/24");
        fixture.assertLocalTrafficUsesTunnel(Family.values());
        assertThat(fixture.namespace()
                        .run("curl", "-s", "--max-time", "10", "http://web.example/")
                        .strip())
                .isNotEmpty();
    }

    @Test
    void an_address_conflict_that_appears_at_run_time_is_reported() {
        RunningProgram culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));

        fixture.namespace().ip("address add " + fixture.lab.provider().customerIpv4() + "/24 dev eth0");

        culvert.awaitLine("Address 10.64.0.2/32 is an address of this machine's eth0", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void an_IPv6_only_server_is_reported_without_IPv6_and_the_hint_fixes_it() {
        fixture.configureEndpoint("[" + fixture.lab.provider().publicIpv6() + "]:51820");
        fixture.observer.allowWireGuardTo(fixture.lab.provider().publicIpv6(), 51820);
        fixture.namespace().run("ip", "-6", "route", "del", "default");
        fixture.namespace().ip("address del " + Lab.NODE_IPV6 + "/64 dev eth0");

        CommandResult check = fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "check");

        assertThat(check.status()).isEqualTo(3);
        assertThat(check.out()).contains("no IPv6 route to the server", "network with IPv6");
        RunningProgram culvert = fixture.start(ExitNodeFixture.withoutMesh(Map.of()));
        culvert.awaitLine("no IPv6 route to the server", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("no route to it", ExitNodeFixture.TIMEOUT);

        // As the hint instructs.
        fixture.namespace()
                .ip("address add " + Lab.NODE_IPV6 + "/64 dev eth0 nodad", "route add default via " + Lab.ROUTER_IPV6);

        culvert.awaitLine("connected to", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void an_uplink_with_the_tunnels_name_is_rejected() {
        fixture.close();
        fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.uplink("wg0"));

        CommandResult check = fixture.run(ExitNodeFixture.withoutMesh(Map.of()), "check");

        assertThat(check.status()).isEqualTo(3);
        assertThat(check.out())
                .contains("the uplink has the name that the tunnel's interface needs", "interface_name")
                .doesNotContain("wg-quick down");

        // As the hint instructs.
        fixture.namespace()
                .ip(
                        "link set wg0 down",
                        "link set wg0 name eth0",
                        "link set eth0 up",
                        "route add default via " + Lab.ROUTER_IPV4);
        fixture.connect(ExitNodeFixture.withoutMesh(Map.of()));
        fixture.assertLocalTrafficUsesTunnel(Family.IPV4);
    }
}
