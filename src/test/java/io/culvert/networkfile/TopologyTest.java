// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import static io.culvert.networkfile.NetworkText.node;
import static io.culvert.networkfile.NetworkText.peer;
import static io.culvert.networkfile.NetworkText.topology;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.networkfile.Forward.Direction;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The configuration of each node, where it exceeds what Wirenix supports. */
class TopologyTest {

    private static final String ALL = "connections: [{a: [], b: []}]\n";

    @Test
    void a_client_routes_everything_to_its_exit_node_which_forwards_it() {
        String text = "version: v1\nsubnets: [{name: home}]\npeers:\n"
                + peer(
                        "hub",
                        1,
                        "home: {listenPort: 51820, ipAddresses: [10.0.0.1, auto]}",
                        "exit: true, endpoints: [{ip: vpn.example.net}]")
                + peer("laptop", 2, "home: {ipAddresses: [10.0.0.2, auto]}", "via: hub")
                + peer("other", 3, "home: {ipAddresses: [10.0.0.3]}", "")
                + "connections: [{a: [{type: peer, rule: is, value: hub}], b: []}]\n";

        NodeView laptop = node(text, "laptop");
        MeshLink toHub = laptop.interfaces().getFirst().links().getFirst();
        assertThat(toHub.allowedIps()).map(Object::toString).contains("10.0.0.1/32", "0.0.0.0/0", "::/0");
        assertThat(toHub.endpoint()).map(Object::toString).contains("vpn.example.net:51820");
        assertThat(toHub.keepaliveSeconds()).hasValue(25);
        assertThat(laptop.exitNode()).contains(new NodeView.UsedExitNode("home", "hub"));

        NodeView hub = node(text, "hub");
        assertThat(hub.interfaces().getFirst().links())
                .allSatisfy(link -> assertThat(link.endpoint()).isEmpty())
                .allSatisfy(link -> assertThat(link.keepaliveSeconds()).isEmpty());
        assertThat(hub.forwards()).singleElement().satisfies(forward -> {
            assertThat(forward.direction()).isEqualTo(Direction.EXIT);
            assertThat(forward.masquerade()).isTrue();
            assertThat(forward.sources()).map(Object::toString).hasSize(2).contains("10.0.0.2/32");
        });
    }

    @Test
    void networks_behind_peers_are_routed_and_forwarded() {
        String text = "version: v1\nsubnets: [{name: site, endpoints: [{port: 51820}]}]\npeers:\n"
                + peer(
                        "east",
                        1,
                        "site: {listenPort: 51820, ipAddresses: [10.0.0.1]}",
                        "routes: [192.168.1.0/24], endpoints: [{ip: 192.0.2.1}]")
                + peer(
                        "west",
                        2,
                        "site: {listenPort: 51820, ipAddresses: [10.0.0.2]}",
                        "routes: [{to: 192.168.2.0/24, masquerade: true}], endpoints: [{ip: 192.0.2.2}]")
                + ALL;

        assertThat(node(text, "east").interfaces().getFirst().links().getFirst().allowedIps())
                .map(Object::toString)
                .containsExactly("10.0.0.2/32", "192.168.2.0/24");
        assertThat(node(text, "west").interfaces().getFirst().links().getFirst().allowedIps())
                .map(Object::toString)
                .containsExactly("10.0.0.1/32", "192.168.1.0/24");
        assertThat(node(text, "east").forwards())
                .map(Forward::direction)
                .containsExactly(Direction.INWARD, Direction.OUTWARD);
        assertThat(node(text, "west").forwards()).singleElement().satisfies(forward -> {
            assertThat(forward.masquerade()).isTrue();
            assertThat(forward.sources()).map(Object::toString).containsExactly("10.0.0.1/32", "192.168.1.0/24");
            assertThat(forward.destinations()).map(Object::toString).containsExactly("192.168.2.0/24");
        });
    }

    @Test
    void candidates_keep_their_order_and_the_first_public_one_is_the_endpoint() {
        String text = "version: v1\nsubnets: [{name: home}]\npeers:\n"
                + peer(
                        "nas",
                        1,
                        "home: {listenPort: 53333}",
                        "endpoints: [{candidates: [{ip: 192.168.1.5}, {ip: home.example.net, port: 54444}]}]")
                + peer("laptop", 2, "home:", "")
                + ALL;

        MeshLink link = node(text, "laptop").interfaces().getFirst().links().getFirst();
        assertThat(link.candidates())
                .map(Object::toString)
                .containsExactly("192.168.1.5:53333", "home.example.net:54444");
        assertThat(link.endpoint()).map(Object::toString).contains("home.example.net:54444");
    }

    @Test
    void a_later_ip_overrides_candidates_and_vice_versa() {
        String text = "version: v1\nsubnets: [{name: home, endpoints: [{ip: 192.0.2.9}]}]\npeers:\n"
                + peer(
                        "nas",
                        1,
                        "home: {listenPort: 1}",
                        "endpoints: [{candidates: [{ip: 192.168.1.5}, {ip: 192.0.2.5}]},"
                                + " {ip: 10.9.9.9, match: [{type: peer, rule: is, value: near}]}]")
                + peer("near", 2, "home: {listenPort: 2}", "")
                + peer("far", 3, "home: {listenPort: 3}", "")
                + "connections: [{a: [{type: peer, rule: is, value: nas}], b: []}]\n";

        assertThat(node(text, "near").interfaces().getFirst().links().getFirst().candidates())
                .map(Object::toString)
                .containsExactly("10.9.9.9:1");
        assertThat(node(text, "far").interfaces().getFirst().links().getFirst().candidates())
                .map(Object::toString)
                .containsExactly("192.168.1.5:1", "192.0.2.5:1");
        assertThat(topology(text).explain("near", "nas"))
                .containsPattern("ip +10.9.9.9 +peer 'nas', line 4, overrides 192.0.2.9, 192.168.1.5, 192.0.2.5");
    }

    @Test
    void a_pair_of_peers_can_have_its_own_preshared_key_with_the_same_file_name_on_both_sides() {
        String text = "version: v1\nsubnets: [{name: home, presharedKeyFile: 'psk/{a}-{b}'}]\npeers:\n"
                + peer("zoe", 1, "home: {listenPort: 1}", "endpoints: [{ip: 192.0.2.1}]")
                + peer("adam", 2, "home:", "")
                + "connections:\n  - {a: [], b: []}\n";

        assertThat(List.of("zoe", "adam"))
                .allSatisfy(name -> assertThat(node(text, name)
                                .interfaces()
                                .getFirst()
                                .links()
                                .getFirst()
                                .presharedKeyFile())
                        .contains(Path.of("/etc/culvert/psk/adam-zoe")));

        String own = text.replace("{a: [], b: []}", "{a: [], b: [], presharedKeyFile: /run/psk}");
        assertThat(node(own, "zoe").interfaces().getFirst().links().getFirst().presharedKeyFile())
                .contains(Path.of("/run/psk"));
    }

    @Test
    void each_linked_peers_plain_name_is_in_the_hosts_entries_once() {
        String text = "version: v1\nsubnets: [{name: one}, {name: two}]\npeers:\n"
                + peer(
                        "a",
                        1,
                        "one: {listenPort: 1, ipAddresses: [10.0.1.1]}, two: {listenPort: 2, ipAddresses: [10.0.2.1]}",
                        "endpoints: [{ip: 192.0.2.1}]")
                + peer("b", 2, "one: {ipAddresses: [10.0.1.2]}, two: {ipAddresses: [10.0.2.2]}", "")
                + ALL;

        assertThat(node(text, "b").hosts())
                .map(HostsEntry::toString)
                .containsExactly("10.0.1.1 a.one a", "10.0.2.1 a.two");
    }

    @Test
    void a_network_without_peers_is_valid() {
        assertThat(topology("version: v1\nsubnets: []\npeers: []\nconnections: []\n")
                        .peers())
                .isEmpty();
    }
}
