// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.networkfile.Forward;
import io.culvert.nft.NftText;
import io.culvert.rtnl.IpSyntax;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.wireguard.config.WireGuardConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Plans of a mesh node: its interfaces, next to Culvert's other network state on the machine. */
class NodePlanTest {

    private static final WireGuardConfig HOME = subnet("home", "10.8.0.1/24", "10.8.0.2/32");
    private static final WireGuardConfig WORK = subnet("work", "10.9.0.1/24", "10.9.0.2/32");
    private static final WireGuardConfig BY_EXIT = subnet("home", "10.8.0.1/24", "10.8.0.2/32, 0.0.0.0/0");

    @Test
    void each_subnet_is_an_interface_whose_alias_names_the_node() {
        NodePlan plan = plan("laptop", NetworkState.EMPTY, HOME, WORK);

        assertThat(plan.devices().sequencedKeySet()).containsExactly("home", "work");
        assertThat(IpSyntax.commands(plan.network()))
                .containsExactlyInAnyOrder(
                        "ip link set dev home mtu 1420 alias 'culvert mesh laptop' up",
                        "ip link set dev work mtu 1420 alias 'culvert mesh laptop' up",
                        "ip -4 address add 10.8.0.1/24 dev home metric 51820",
                        "ip -4 address add 10.9.0.1/24 dev work metric 51820");
        assertThat(plan.antiSpoofing()).isEmpty();
        assertThat(plan.policy()).isEmpty();
        assertThat(plan.forwarded()).isEmpty();
        assertThat(NodePlan.linksOf("laptop", plan.network())).containsExactlyInAnyOrder("home", "work");
        assertThat(NodePlan.linksOf("lap", plan.network())).isEmpty();
    }

    @Test
    void interfaces_of_removed_subnets_are_stale_and_other_nodes_interfaces_are_kept() {
        NetworkState others = plan("phone", NetworkState.EMPTY, subnet("other", "10.7.0.1/24", "10.7.0.2/32"))
                .network();
        NetworkState both = plan("laptop", others, HOME, WORK).network();

        NodePlan plan = plan("laptop", both, HOME);

        assertThat(plan.stale()).containsExactly("work");
        assertThat(plan.network()).isEqualTo(plan("laptop", others, HOME).network());
        assertThat(NodePlan.without(List.of("home", "work"), both)).isEqualTo(others);
    }

    @Test
    void a_node_that_uses_an_exit_node_has_anti_spoofing_rules_and_is_removed_completely() {
        NodePlan plan = plan("laptop", NetworkState.EMPTY, WORK, BY_EXIT);

        assertThat(plan.antiSpoofing())
                .singleElement()
                .satisfies(table -> assertThat(NftText.of(List.of(table)))
                        .contains("iifname != { \"home\", \"lo\" } ip daddr 10.8.0.1")
                        .doesNotContain("10.9.0.1"));
        assertThat(plan.network().rules()).isNotEmpty();
        assertThat(NodePlan.without(List.of("home", "work"), plan.network())).isEqualTo(NetworkState.EMPTY);
    }

    @Test
    void planning_again_gives_the_same_plan() {
        NodePlan once = plan("laptop", NetworkState.EMPTY, HOME, WORK);

        assertThat(plan("laptop", once.network(), HOME, WORK)).isEqualTo(once);
    }

    @Test
    void a_family_that_no_interface_carries_is_not_forwarded() {
        WireGuardConfig home = subnet("home", "10.8.0.1/24, fd00:8::1/64", "10.8.0.2/32, fd00:8::2/128");
        Forward exit = new Forward(
                Forward.Direction.EXIT,
                "home",
                List.of(Prefix.parse("10.8.0.2/32"), Prefix.parse("fd00:8::2/128")),
                List.of(Prefix.all(Family.IPV4), Prefix.all(Family.IPV6)),
                true);

        Ipv6 onUplinkOnly = new Ipv6(true, Optional.of(false), Map.of("lo", true, "eth0", true), false, true);

        assertThat(plan(TunnelExamples.machine(false), home, exit).forwarded())
                .containsExactlyInAnyOrder(Family.values());
        assertThat(plan(TunnelExamples.machine(false, onUplinkOnly), home, exit).forwarded())
                .containsExactly(Family.IPV4);
    }

    private static NodePlan plan(Machine machine, WireGuardConfig mesh, Forward forward) {
        return NodePlan.of(NodeInputs.of(
                "laptop", List.of(mesh), machine, (_, _) -> OptionalInt.empty(), it -> it.forwards = List.of(forward)));
    }

    private static NodePlan plan(String node, NetworkState current, WireGuardConfig... interfaces) {
        return NodePlan.of(NodeInputs.of(
                node,
                List.of(interfaces),
                PlanExamples.DUAL_STACK,
                (_, _) -> OptionalInt.empty(),
                it -> it.current = current));
    }

    private static WireGuardConfig subnet(String name, String address, String allowedIps) {
        return TunnelExamples.file(name, address, allowedIps, "");
    }
}
