package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.nft.NftText;
import io.culvert.nft.Table;
import io.culvert.topology.Forward;
import io.culvert.topology.Forward.Direction;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/** The forwarding policy of a node, in nft's syntax. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class PassageTest {

    private static final Forward EXIT = new Forward(
            Direction.EXIT, "home", prefixes("10.8.0.2/32", "fd08::2/128"), prefixes("0.0.0.0/0", "::/0"), true);
    private static final Set<String> MESHES = Set.of("home", "work");

    @Test
    void who_passes_nothing_on_leaves_the_machines_forwarding_alone() {
        assertThat(Passage.of(inputs(), MESHES)).isEmpty();
    }

    @Test
    void an_exit_leads_to_the_internet_and_neither_into_a_mesh_nor_to_private_networks() {
        String text = text(passage(EXIT));

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
    void a_site_is_reached_and_reaches_the_mesh_under_its_own_addresses() {
        String text = text(passage(
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
    void a_network_that_knows_no_way_back_sees_the_node() {
        assertThat(text(passage(new Forward(
                        Direction.INWARD, "home", prefixes("10.8.0.2/32"), prefixes("192.168.7.0/24"), true))))
                .contains("ip saddr @from_1_ipv4 ip daddr @to_1_ipv4 masquerade random");
    }

    /** The kernel refuses overlapping elements of a set. */
    @Test
    void what_lies_in_another_prefix_is_not_said_twice() {
        Table table = passage(new Forward(
                        Direction.INWARD,
                        "home",
                        prefixes("10.8.0.2/32", "10.8.0.0/24", "10.9.0.1/32"),
                        prefixes("192.168.7.0/24"),
                        false))
                .table();

        assertThat(table.sets().getFirst().elements()).hasSize(2);
    }

    @Test
    void a_machine_without_ipv6_has_one_switch_only() {
        Machine without = PlanExamples.machine(Map.of(Family.IPV4, PlanExamples.IPV4), false, false);

        assertThat(passage(EXIT).families(PlanExamples.DUAL_STACK)).containsExactlyInAnyOrder(Family.values());
        assertThat(passage(EXIT).families(without)).containsExactly(Family.IPV4);
    }

    @Test
    void its_name_is_one_that_nftables_take_and_what_was_before_stands_in_it() {
        assertThat(Passage.id("Büro.example").name()).isEqualTo("culvert_mesh_b_ro_example");
        assertThat(Passage.id("n".repeat(100)).name()).hasSize(63);

        assertThat(NftText.of(List.of(passage(EXIT).remembering(Set.of("ipv4 was off")))))
                .contains("chain saved_sysctls", "return comment \"ipv4 was off\"");
    }

    private static Passage passage(Forward... forwards) {
        Optional<Passage> passage = Passage.of(inputs(forwards), MESHES);
        return passage.orElseThrow();
    }

    private static String text(Passage passage) {
        return NftText.of(List.of(passage.table()));
    }

    private static NodeInputs inputs(Forward... forwards) {
        return new NodeInputs(
                "hub",
                List.of(),
                List.of(forwards),
                PlanExamples.DUAL_STACK,
                (_, _) -> OptionalInt.empty(),
                NetworkState.EMPTY,
                Map.of());
    }

    private static List<Prefix> prefixes(String... texts) {
        return Arrays.stream(texts).map(Prefix::parse).toList();
    }
}
