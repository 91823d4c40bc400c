package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.network.IpSyntax;
import io.culvert.network.NetworkState;
import io.culvert.nft.NftText;
import io.culvert.wireguard.WireGuardConfig;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/** Plans of a mesh node: its interfaces, next to Culvert's other network state on the machine. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class NodePlanTest {

    private static final WireGuardConfig HOME = subnet("home", "10.8.0.1/24", "10.8.0.2/32");
    private static final WireGuardConfig WORK = subnet("work", "10.9.0.1/24", "10.9.0.2/32");
    private static final WireGuardConfig BY_EXIT = subnet("home", "10.8.0.1/24", "10.8.0.2/32, 0.0.0.0/0");

    @Test
    void each_subnet_is_an_interface_that_bears_the_nodes_name() {
        NodePlan plan = plan("laptop", NetworkState.EMPTY, HOME, WORK);

        assertThat(plan.devices().sequencedKeySet()).containsExactly("home", "work");
        assertThat(IpSyntax.commands(plan.network()))
                .containsExactlyInAnyOrder(
                        "ip link set dev home mtu 1420 alias 'culvert mesh laptop' up",
                        "ip link set dev work mtu 1420 alias 'culvert mesh laptop' up",
                        "ip -4 address add 10.8.0.1/24 dev home metric 51820",
                        "ip -4 address add 10.9.0.1/24 dev work metric 51820");
        assertThat(plan.shield()).isEmpty();
        assertThat(plan.passage()).isEmpty();
        assertThat(plan.forwarded()).isEmpty();
        assertThat(NodePlan.linksOf("laptop", plan.network())).containsExactlyInAnyOrder("home", "work");
        assertThat(NodePlan.linksOf("lap", plan.network())).isEmpty();
    }

    @Test
    void a_subnet_that_the_node_has_left_goes_and_another_nodes_stays() {
        NetworkState others = plan("phone", NetworkState.EMPTY, subnet("other", "10.7.0.1/24", "10.7.0.2/32"))
                .network();
        NetworkState both = plan("laptop", others, HOME, WORK).network();

        NodePlan plan = plan("laptop", both, HOME);

        assertThat(plan.stale()).containsExactly("work");
        assertThat(plan.network()).isEqualTo(plan("laptop", others, HOME).network());
        assertThat(NodePlan.without(List.of("home", "work"), both)).isEqualTo(others);
    }

    @Test
    void who_leaves_by_an_exit_has_its_addresses_shielded_and_gives_all_back_with_the_link() {
        NodePlan plan = plan("laptop", NetworkState.EMPTY, WORK, BY_EXIT);

        assertThat(plan.shield())
                .singleElement()
                .satisfies(table -> assertThat(NftText.of(List.of(table)))
                        .contains("iifname != { \"home\", \"lo\" } ip daddr 10.8.0.1")
                        .doesNotContain("10.9.0.1"));
        assertThat(plan.network().rules()).isNotEmpty();
        assertThat(NodePlan.without(List.of("home", "work"), plan.network())).isEqualTo(NetworkState.EMPTY);
    }

    @Test
    void what_is_there_already_changes_nothing() {
        NodePlan once = plan("laptop", NetworkState.EMPTY, HOME, WORK);

        assertThat(plan("laptop", once.network(), HOME, WORK)).isEqualTo(once);
    }

    private static NodePlan plan(String node, NetworkState present, WireGuardConfig... interfaces) {
        return NodePlan.of(new NodeInputs(
                node,
                List.of(interfaces),
                List.of(),
                PlanExamples.DUAL_STACK,
                (_, _) -> OptionalInt.empty(),
                present,
                Map.of()));
    }

    private static WireGuardConfig subnet(String name, String address, String allowedIps) {
        return TunnelExamples.file(name, address, allowedIps, "");
    }
}
