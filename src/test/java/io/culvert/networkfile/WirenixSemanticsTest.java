// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import static io.culvert.networkfile.NetworkText.key;
import static io.culvert.networkfile.NetworkText.node;
import static io.culvert.networkfile.NetworkText.peer;
import static io.culvert.networkfile.NetworkText.problems;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The semantics of version 1 as in Wirenix, with the differences that docs/coming-from/wirenix.md lists. */
class WirenixSemanticsTest {

    private static final String ALL = "connections: [{a: [], b: []}]\n";
    private static final String HEAD = "version: v1\nsubnets: [{name: mesh}]\npeers:\n";
    private static final String SERVER = peer("server", 1, "mesh: {listenPort: 51820}", "endpoints: [{ip: 192.0.2.1}]");

    private static MeshLink link(String text, String from, String to) {
        return links(text, from).stream()
                .filter(link -> link.peer().equals(to))
                .findFirst()
                .orElseThrow();
    }

    private static List<MeshLink> links(String text, String from) {
        return node(text, from).interfaces().stream()
                .flatMap(mesh -> mesh.links().stream())
                .toList();
    }

    private static List<String> addresses(String text, String name) {
        return node(text, name).interfaces().getFirst().addresses().stream()
                .map(Object::toString)
                .toList();
    }

    @Test
    void generated_addresses_are_the_same_as_in_wirenix() {
        assertThat(AutoAddress.of("mesh", "node1")).hasToString("fdd3:ca7:a7a3:2bf5:ca12:f31b:8cbf:5f29/64");
        assertThat(AutoAddress.of("mesh", "node2").toString()).endsWith(":15b1:8a72:4325:7695/64");
        assertThat(AutoAddress.of("myMesh", "peer1")).hasToString("fd76:6784:27bf:63f1:6987:50a0:9b93:4337/64");
    }

    @Test
    void the_default_address_is_generated_and_an_empty_list_means_none() {
        String text = HEAD + SERVER + peer("bare", 2, "mesh: {ipAddresses: []}", "") + ALL;

        assertThat(addresses(text, "server")).singleElement().asString().startsWith("fdd3:ca7:a7a3:2bf5:");
        assertThat(addresses(text, "bare")).isEmpty();
        assertThat(link(text, "server", "bare").allowedIps()).isEmpty();
    }

    @Test
    void the_generated_address_is_last_and_prefix_lengths_default_by_family() {
        String text = HEAD
                + SERVER
                + peer("many", 2, "mesh: {ipAddresses: [auto, 10.0.0.2, 'fd00::2', 10.1.0.2/16]}", "")
                + ALL;

        assertThat(addresses(text, "many")).hasSize(4).startsWith("10.0.0.2/24", "fd00::2/64", "10.1.0.2/16");
        assertThat(addresses(text, "many").getLast()).startsWith("fdd3:ca7:");
    }

    @Test
    void allowed_ips_are_single_addresses_even_if_a_prefix_length_is_set() {
        String text = HEAD + SERVER + peer("wide", 2, "mesh: {ipAddresses: [10.0.0.2/24, 'fd00::2/48']}", "") + ALL;

        assertThat(link(text, "server", "wide").allowedIps())
                .map(Object::toString)
                .containsExactly("10.0.0.2/32", "fd00::2/128");
    }

    @Test
    void connections_are_symmetric_and_cumulative_and_never_link_a_peer_with_itself() {
        String text = HEAD
                + SERVER
                + peer("one", 2, "mesh:", "")
                + peer("two", 3, "mesh:", "")
                + "connections:\n  - {a: [{type: peer, rule: is, value: server}], b: []}\n  - {a: [{type: peer, rule: is, value: one}], b: [{type: peer, rule: is, value: server}]}\n";

        assertThat(links(text, "server")).map(MeshLink::peer).containsExactly("one", "two");
        assertThat(links(text, "one")).map(MeshLink::peer).containsExactly("server");
        assertThat(links(text, "two")).map(MeshLink::peer).containsExactly("server");
    }

    @Test
    void a_peer_must_match_all_filters_and_not_inverts_a_filter() {
        String text = "version: v1\nsubnets: [{name: mesh}]\ngroups: [{name: east}, {name: fast}]\npeers:\n"
                + peer("hub", 1, "mesh: {listenPort: 1}", "endpoints: [{ip: 192.0.2.1}]")
                + peer("both", 2, "mesh:", "groups: [east, fast]")
                + peer("slow", 3, "mesh:", "groups: [east]")
                + peer("none", 4, "mesh:", "")
                + "connections:\n  - a: [{type: peer, rule: is, value: hub}]\n    b: [{type: group, rule: is, value: east}, {type: group, rule: not, value: fast}]\n";

        assertThat(links(text, "hub")).map(MeshLink::peer).containsExactly("slow");
    }

    @Test
    void a_connection_applies_to_its_subnets_only() {
        String text = "version: v1\nsubnets: [{name: one}, {name: two}]\npeers:\n"
                + peer("a", 1, "one: {listenPort: 1}, two: {listenPort: 2}", "endpoints: [{ip: 192.0.2.1}]")
                + peer("b", 2, "one:, two:", "")
                + "connections: [{a: [], b: [], subnets: [two]}]\n";

        assertThat(node(text, "b").interfaces())
                .map(mesh -> mesh.links().size())
                .containsExactly(0, 1);
    }

    @Test
    void a_connection_between_a_member_and_a_non_member_of_a_subnet_is_an_error() {
        String text = "version: v1\nsubnets: [{name: one}, {name: two}]\npeers:\n"
                + peer("a", 1, "one: {listenPort: 1}, two: {listenPort: 2}", "endpoints: [{ip: 192.0.2.1}]")
                + peer("b", 2, "one:", "")
                + "connections:\n  - {a: [], b: []}\n";

        assertThat(problems(text))
                .anyMatch(problem -> problem.contains("network.yaml:7:5: this connection links 'a' "
                                + "with 'b' in subnet 'two', but 'b' does not belong to it")
                        && problem.contains("subnets: [one]"));
    }

    @Test
    void endpoints_are_merged_by_key_from_subnet_then_shared_groups_then_peer() {
        String text =
                "version: v1\nsubnets: [{name: mesh, endpoints: [{port: 1111, persistentKeepalive: 10}]}]\ngroups: [{name: lan, endpoints: [{ip: 10.9.9.9}, {port: 2222}]}, {name: other, endpoints: [{port: 3333}]}]\npeers:\n"
                        + peer("q", 1, "mesh: {listenPort: 4444}", "groups: [lan, other], endpoints: [{ip: 192.0.2.1}]")
                        + peer("near", 2, "mesh:", "groups: [lan]")
                        + peer("far", 3, "mesh:", "")
                        + peer("both", 4, "mesh:", "groups: [other, lan]")
                        + "connections: [{a: [{type: peer, rule: is, value: q}], b: []}]\n";

        assertThat(link(text, "far", "q").endpoint()).map(Object::toString).contains("192.0.2.1:1111");
        assertThat(link(text, "near", "q").endpoint()).map(Object::toString).contains("192.0.2.1:2222");
        // In the order of the connecting peer's groups, where the last one applies.
        assertThat(link(text, "both", "q").endpoint()).map(Object::toString).contains("192.0.2.1:2222");
        assertThat(link(text, "far", "q").keepaliveSeconds()).hasValue(10);
    }

    @Test
    void the_last_endpoint_entry_that_matches_applies() {
        String text = "version: v1\nsubnets: [{name: mesh}]\ngroups: [{name: home}]\npeers:\n"
                + peer(
                        "q",
                        1,
                        "mesh: {listenPort: 51820}",
                        "endpoints: [{ip: q.example.net}, {ip: 192.168.1.2, match: [{type: group, rule: is, value: home}]}]")
                + peer("in", 2, "mesh:", "groups: [home]")
                + peer("out", 3, "mesh:", "")
                + "connections: [{a: [{type: peer, rule: is, value: q}], b: []}]\n";

        assertThat(link(text, "in", "q").endpoint()).map(Object::toString).contains("192.168.1.2:51820");
        assertThat(link(text, "out", "q").endpoint()).map(Object::toString).contains("q.example.net:51820");
    }

    @Test
    void match_applies_to_endpoints_of_subnets_and_groups_too() {
        String text =
                "version: v1\nsubnets: [{name: mesh, endpoints: [{port: 1111}, {port: 2222, match: [{type: peer, rule: is, value: in}]}]}]\npeers:\n"
                        + peer("q", 1, "mesh: {listenPort: 3333}", "endpoints: [{ip: 192.0.2.1}]")
                        + peer("in", 2, "mesh:", "")
                        + peer("out", 3, "mesh:", "")
                        + "connections: [{a: [{type: peer, rule: is, value: q}], b: []}]\n";

        assertThat(link(text, "in", "q").endpoint()).map(Object::toString).contains("192.0.2.1:2222");
        assertThat(link(text, "out", "q").endpoint()).map(Object::toString).contains("192.0.2.1:1111");
    }

    @Test
    void refresh_intervals_are_part_of_the_link() {
        String text = HEAD
                + peer(
                        "q",
                        1,
                        "mesh: {listenPort: 1}",
                        "endpoints: [{ip: q.example.net, dynamicEndpointRefreshSeconds: 60, dynamicEndpointRefreshRestartSeconds: 5}]")
                + peer("p", 2, "mesh:", "")
                + ALL;

        assertThat(link(text, "p", "q").refreshSeconds()).hasValue(60);
        assertThat(link(text, "p", "q").refreshRestartSeconds()).hasValue(5);
    }

    @Test
    void ipv6_endpoints_are_in_brackets() {
        String text = HEAD
                + peer("q", 1, "mesh: {listenPort: 51820}", "endpoints: [{ip: '2001:db8::1'}]")
                + peer("p", 2, "mesh:", "")
                + ALL;

        assertThat(link(text, "p", "q").endpoint()).map(Object::toString).contains("[2001:db8::1]:51820");
    }

    @Test
    void both_peers_are_linked_if_only_one_has_an_endpoint() {
        String text = HEAD + SERVER + peer("nat", 2, "mesh:", "isPublic: false") + ALL;

        assertThat(link(text, "server", "nat").endpoint()).isEmpty();
        assertThat(link(text, "server", "nat").keepaliveSeconds()).isEmpty();
        assertThat(link(text, "nat", "server").keepaliveSeconds()).hasValue(25);
    }

    @Test
    void a_peer_with_an_endpoint_has_no_default_keepalive_and_0_disables_it() {
        String called = HEAD + SERVER + peer("two", 2, "mesh: {listenPort: 2}", "endpoints: [{ip: 192.0.2.2}]") + ALL;
        String off = HEAD
                + peer("q", 1, "mesh: {listenPort: 1}", "endpoints: [{ip: 192.0.2.1, persistentKeepalive: 0}]")
                + peer("nat", 2, "mesh:", "")
                + ALL;

        assertThat(link(called, "two", "server").keepaliveSeconds()).isEmpty();
        assertThat(link(off, "nat", "q").keepaliveSeconds()).isEmpty();
    }

    @Test
    void a_link_without_any_endpoint_is_an_error() {
        String text = HEAD + peer("one", 1, "mesh: {listenPort: 1}", "") + peer("two", 2, "mesh:", "") + ALL;

        assertThat(problems(text))
                .singleElement()
                .asString()
                .contains(":4:12: 'one' is linked with 'two' in subnet 'mesh', but neither side has an endpoint");
    }

    @Test
    void a_subnets_preshared_key_applies_to_all_its_links() {
        String text = HEAD.replace("{name: mesh}", "{name: mesh, presharedKeyFile: /run/psk}")
                + SERVER
                + peer("p", 2, "mesh:", "")
                + ALL;

        assertThat(link(text, "p", "server").presharedKeyFile())
                .map(Object::toString)
                .contains("/run/psk");
    }

    @Test
    void device_names_follow_the_naming_scheme() {
        String text = "version: v1\nsubnets: [{name: ring.example}]\npeers:\n"
                + peer("peer1", 1, "ring.example: {listenPort: 1}", "endpoints: [{ip: 192.0.2.1}]")
                + peer("peer2", 2, "ring.example:", "")
                + ALL;

        assertThat(device(text)).isEqualTo("ring");
        assertThat(device(text + "deviceNames: long\n")).isEqualTo("ring.example");
        assertThat(device(text.replace("ring.example", "ring") + "deviceNames: hash\n"))
                .isEqualTo("wn.379922841a88");
        assertThat(problems(text.replace("ring.example", "a-name-that-is-too-long")))
                .anyMatch(problem -> problem.contains("'a-name-that-is-too-long', which has 23 characters")
                        && problem.contains("deviceNames: hash"));
    }

    private static String device(String text) {
        return node(text, "peer1").interfaces().getFirst().device();
    }

    @Test
    void groups_are_optional_and_the_other_lists_are_required() {
        assertThat(problems("version: v1\n"))
                .singleElement()
                .asString()
                .contains("this network has no subnets, no peers, no connections");
        assertThat(problems("subnets: []\npeers: []\nconnections: []\n"))
                .singleElement()
                .asString()
                .contains("has no version");
        assertThat(problems("version: v2\nsubnets: []\npeers: []\nconnections: []\n"))
                .singleElement()
                .asString()
                .contains(":1:10: version 'v2' is not supported");
    }

    @Test
    void a_group_filter_accepts_peers_without_groups() {
        String text = "version: v1\nsubnets: [{name: mesh}]\ngroups: [{name: g}]\npeers:\n"
                + SERVER
                + peer("p", 2, "mesh:", "groups: [g]")
                + "connections: [{a: [{type: peer, rule: is, value: server}], b: [{type: group, rule: is, value: g}]}]\n";

        assertThat(links(text, "server")).map(MeshLink::peer).containsExactly("p");
    }

    @Test
    void extra_args_are_accepted_everywhere() {
        String text =
                "version: v1\nextraArgs: {x: 1}\nsubnets: [{name: mesh, extraArgs: {x: [1]}}]\ngroups: [{name: g, extraArgs: 1}]\npeers:\n"
                        + peer(
                                "a",
                                1,
                                "mesh: {listenPort: 1, extraArgs: {}}",
                                "extraArgs: [], endpoints: [{ip: 192.0.2.1}]")
                        + peer("b", 2, "mesh:", "")
                        + "connections: [{a: [], b: [], extraArgs: {y: 2}}]\n";

        assertThat(problems(text)).isEmpty();
    }

    @Test
    void a_private_key_in_the_file_is_ignored_with_a_warning() {
        String text = HEAD + SERVER + peer("p", 2, "mesh:", "privateKey: " + key(2)) + ALL;

        assertThat(problems(text)).singleElement().asString().contains("warning: privateKey is ignored");
        assertThat(String.join("", problems(text))).doesNotContain(key(2));
    }

    @Test
    void duplicate_peer_names_are_an_error() {
        String text = HEAD + SERVER + peer("server", 2, "mesh:", "") + ALL;

        assertThat(problems(text))
                .anyMatch(problem -> problem.contains(":5:12: the peer 'server' is already defined in line 4"));
    }

    @Test
    void hosts_entries_contain_linked_peers_but_not_the_node_itself() {
        String text = HEAD + SERVER + peer("p", 2, "mesh: {ipAddresses: [10.0.0.2]}", "") + ALL;

        assertThat(node(text, "server").hosts()).map(HostsEntry::toString).containsExactly("10.0.0.2 p.mesh p");
        assertThat(node(text, "server").exitNode()).isEqualTo(Optional.empty());
    }
}
