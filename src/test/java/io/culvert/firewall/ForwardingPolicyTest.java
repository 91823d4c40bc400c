// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.networkfile.Forward;
import io.culvert.networkfile.Forward.Direction;
import io.culvert.nft.NftText;
import io.culvert.nft.Table;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The forwarding policy of a node, in nft's syntax. */
class ForwardingPolicyTest {

    private static final Forward EXIT = new Forward(
            Direction.EXIT, "home", prefixes("10.8.0.2/32", "fd08::2/128"), prefixes("0.0.0.0/0", "::/0"), true);
    private static final Set<String> MESHES = Set.of("home", "work");

    @Test
    void a_node_that_forwards_nothing_has_no_forwarding_policy() {
        assertThat(ForwardingPolicy.of("hub", List.of(), MESHES)).isEmpty();
    }

    @Test
    void an_exit_node_forwards_to_the_internet_but_not_to_meshes_or_private_networks() {
        String text = text(policy(EXIT));

        assertThat(text)
                .contains(
                        "iifname \"home\" oifname != { \"home\", \"work\" } ip saddr @from_1_ipv4 ip daddr != { 10.0.0.0/8,")
                .contains("192.168.0.0/16 } accept comment \"exit 1, IPv4\"")
                .contains("fe80::/10 } accept comment \"exit 1, IPv6\"")
                .contains("oifname != { \"home\", \"work\" } ip saddr @from_1_ipv4")
                .contains("masquerade random comment \"masquerade, exit 1, IPv4\"");
        assertThat(text.indexOf("exit 1, IPv6"))
                .as("everything else from or to a mesh is rejected after it")
                .isLessThan(text.indexOf("\"nothing else from the mesh\""))
                .isLessThan(text.indexOf("\"nothing else into the mesh\""));
    }

    @Test
    void a_site_route_is_forwarded_in_both_directions_without_masquerading() {
        String text = text(policy(
                new Forward(Direction.INWARD, "home", prefixes("10.8.0.2/32"), prefixes("192.168.7.0/24"), false),
                new Forward(Direction.OUTWARD, "home", prefixes("192.168.7.0/24"), prefixes("10.8.0.2/32"), false)));

        assertThat(text)
                .contains(
                        "iifname \"home\" ip saddr @from_1_ipv4 ip daddr @to_1_ipv4 accept comment \"inward 1, IPv4\"")
                .contains(
                        "oifname \"home\" ip saddr @from_2_ipv4 ip daddr @to_2_ipv4 accept comment \"outward 2, IPv4\"")
                .doesNotContain("masquerade", "IPv6");
    }

    @Test
    void a_network_without_a_return_route_is_masqueraded() {
        assertThat(text(policy(new Forward(
                        Direction.INWARD, "home", prefixes("10.8.0.2/32"), prefixes("192.168.7.0/24"), true))))
                .contains("ip saddr @from_1_ipv4 ip daddr @to_1_ipv4 masquerade random");
    }

    /** The kernel refuses overlapping elements of a set. */
    @Test
    void prefixes_within_another_prefix_are_left_out() {
        Table table = policy(new Forward(
                        Direction.INWARD,
                        "home",
                        prefixes("10.8.0.2/32", "10.8.0.0/24", "10.9.0.1/32"),
                        prefixes("192.168.7.0/24"),
                        false))
                .table();

        assertThat(table.sets().getFirst().elements()).hasSize(2);
    }

    @Test
    void a_mesh_without_ipv6_forwards_ipv4_only() {
        assertThat(policy(EXIT).families(Set.of(Family.values()))).containsExactlyInAnyOrder(Family.values());
        assertThat(policy(EXIT).families(Set.of(Family.IPV4))).containsExactly(Family.IPV4);
    }

    @Test
    void the_table_name_is_valid_and_the_table_contains_the_saved_values() {
        assertThat(ForwardingPolicy.id("Büro.example").name()).isEqualTo("culvert_mesh_b_ro_example");
        assertThat(ForwardingPolicy.id("n".repeat(100)).name()).hasSize(63);

        assertThat(NftText.of(List.of(policy(EXIT).withSavedValues(Set.of("ipv4 was off")))))
                .contains("chain saved_sysctls", "return comment \"ipv4 was off\"");
    }

    private static ForwardingPolicy policy(Forward... forwards) {
        Optional<ForwardingPolicy> policy = ForwardingPolicy.of("hub", List.of(forwards), MESHES);
        return policy.orElseThrow();
    }

    private static String text(ForwardingPolicy policy) {
        return NftText.of(List.of(policy.table()));
    }

    private static List<Prefix> prefixes(String... texts) {
        return Arrays.stream(texts).map(Prefix::parse).toList();
    }
}
