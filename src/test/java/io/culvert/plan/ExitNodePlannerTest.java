// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.TextFile;
import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.routing.RulePreference;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.Route;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExitNodePlannerTest {

    @ParameterizedTest
    @MethodSource("examples")
    void matches_the_expected_file(String name) {
        TextFile.assertContent(
                Path.of("src/test/resources/plan", name + ".txt"),
                PlanText.of(inputs(name)).text() + "\n");
    }

    @ParameterizedTest
    @MethodSource("examples")
    void contains_no_secret_keys(String name) {
        ExitNodeInputs inputs = inputs(name);

        assertThat(PlanText.of(inputs).toString() + ExitNodePlanner.plan(inputs))
                .doesNotContain("yAnz5TF", "FpCyhws9", "6D/THBwD");
    }

    @ParameterizedTest
    @MethodSource("examples")
    void packets_without_a_tunnel_route_are_unreachable_in_every_family(String name) {
        ExitNodeInputs inputs = inputs(name);
        List<PolicyRule> rules = ExitNodePlanner.plan(inputs).network().rules();

        for (Family family : families(inputs.machine())) {
            List<PolicyRule> own = inOrder(rules, family);
            assertThat(own.getLast().action()).isEqualTo(new Action.Unreachable());
            assertThat(own.getLast().preference()).isEqualTo(RulePreference.LOCAL_UNREACHABLE);
            assertThat(own.get(own.size() - 2).selector())
                    .as("packets that look up the tunnel's table are those that end unreachable")
                    .isEqualTo(own.getLast().selector());
        }
        assertThat(rules).extracting(PolicyRule::family).isSubsetOf(families(inputs.machine()));
    }

    @ParameterizedTest
    @MethodSource("examples")
    void rules_do_not_use_tailscales_preferences(String name) {
        assertThat(ExitNodePlanner.plan(inputs(name)).network().rules())
                .extracting(PolicyRule::preference)
                .noneMatch(preference -> preference >= 5200 && preference <= 5299)
                .allMatch(
                        preference -> preference > 0 && preference < 32766, "before the kernel's own main and default");
    }

    /** In the kernel's order: no rule before the one that makes packets from the mesh unreachable leads them to main. */
    @Test
    void packets_of_exit_node_clients_never_use_table_main() {
        List<PolicyRule> rules =
                ExitNodePlanner.plan(PlanExamples.dualStack()).network().rules();

        for (Family family : Family.values()) {
            List<PolicyRule> until = inOrder(rules, family).stream()
                    .takeWhile(rule -> rule.preference() < RulePreference.MESH_UNREACHABLE)
                    .toList();
            assertThat(until)
                    .filteredOn(rule -> rule.action().equals(Action.Lookup.of(Route.MAIN)))
                    .as("only local packets, or those from our own address")
                    .allSatisfy(rule -> assertThat(rule.selector().inputLink().equals(Optional.of("lo"))
                                    || rule.selector().from().isPresent())
                            .isTrue());
            assertThat(inOrder(rules, family))
                    .filteredOn(rule -> rule.preference() == RulePreference.MESH_UNREACHABLE)
                    .singleElement()
                    .satisfies(rule -> {
                        assertThat(rule.action()).isEqualTo(new Action.Unreachable());
                        assertThat(rule.selector()).isEqualTo(PolicyRule.Selector.ANY.inputLink("mesh0"));
                    });
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void rules_routes_and_commands_have_no_duplicates(String name) {
        ExitNodePlan plan = ExitNodePlanner.plan(inputs(name));

        assertThat(plan.network().rules()).doesNotHaveDuplicates();
        assertThat(plan.network().routes()).doesNotHaveDuplicates();
        assertThat(PlanText.of(inputs(name)).commands()).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void the_kill_switchs_routing_rules_need_no_tunnel_or_mesh_link(String name) {
        ExitNodePlan plan = ExitNodePlanner.plan(inputs(name));

        assertThat(plan.killSwitchRouting().links()).isEmpty();
        assertThat(plan.killSwitchRouting().routes())
                .allSatisfy(route -> assertThat(route.link().orElse("")).isNotIn("wg0", "mesh0", "mesh1"));
        assertThat(plan.network().rules()).isEqualTo(plan.killSwitchRouting().rules());
    }

    @Test
    void equal_inputs_give_equal_plans() {
        assertThat(ExitNodePlanner.plan(PlanExamples.dualStack()))
                .isEqualTo(ExitNodePlanner.plan(PlanExamples.dualStack()));
    }

    @Test
    void a_few_bypasses_are_separate_rules() {
        assertThat(bypassRules("203.0.113.0/25 203.0.113.9:80/tcp 203.0.113.9:80/tcp"))
                .containsExactly("5100 to 203.0.113.0/25 lookup 254", "5100 to 203.0.113.9/32 TCP 80 lookup 254");
    }

    /** Each rule costs every packet a comparison; a lookup in a table costs very little. */
    @Test
    void many_bypasses_share_one_rule_and_one_table_per_kind() {
        String list = IntStream.range(0, 10_000)
                .mapToObj(i -> "198.18." + i / 200 + "." + i % 200 + (i % 2 == 0 ? ":443/tcp" : ":53/udp"))
                .collect(Collectors.joining(" "));
        ExitNodePlan plan = ExitNodePlanner.plan(inputsWithBypasses(list + " " + list));

        assertThat(plan.killSwitchRouting().rules())
                .filteredOn(rule -> rule.preference() == RulePreference.BYPASS)
                .hasSize(2);
        assertThat(plan.killSwitchRouting().routes()).hasSize(10_000).doesNotHaveDuplicates();
        assertThat(plan.killSwitchRouting().routes().stream().map(Route::table).distinct())
                .hasSize(2);
        assertThat(plan.killSwitchRouting().rules().size()).isLessThan(20);
    }

    @Test
    void a_bypass_in_the_uplinks_network_has_no_gateway() {
        String many = IntStream.range(10, 60).mapToObj(i -> "192.168.7." + i).collect(Collectors.joining(","));

        assertThat(ExitNodePlanner.plan(inputsWithBypasses(many + ",203.0.113.9"))
                        .killSwitchRouting()
                        .routes())
                .satisfies(routes -> assertThat(routes.getFirst().gateway()).isEmpty())
                .satisfies(routes -> assertThat(routes.getLast().gateway()).isEqualTo(PlanExamples.IPV4.gateway()));
    }

    @Test
    void all_candidate_names_are_tracked_and_a_resolved_candidate_is_used_at_once() {
        ExitNodeInputs inputs = PlanExamples.severalSubnets();
        Host.Name preferred = new Host.Name("nas.example.net");
        Host.Name other = new Host.Name("home.example.net");

        assertThat(ExitNodePlanner.plan(inputs).names()).containsExactlyInAnyOrder(preferred, other);
        assertThat(endpointOfNas(inputs)).isEqualTo("192.168.7.5:51820");
        assertThat(endpointOfNas(inputs.with(
                        it -> it.names = new ResolvedNames(Map.of(other, PlanExamples.addresses("203.0.113.9"))))))
                .isEqualTo("203.0.113.9:54445");
        assertThat(endpointOfNas(inputs.with(it -> it.names = new ResolvedNames(Map.of(
                        other, PlanExamples.addresses("203.0.113.9"),
                        preferred, PlanExamples.addresses("203.0.113.8"))))))
                .isEqualTo("203.0.113.8:51820");
    }

    private static String endpointOfNas(ExitNodeInputs inputs) {
        return Objects.requireNonNull(ExitNodePlanner.plan(inputs).meshes().get("mesh1"))
                .peers()
                .getFirst()
                .endpoint()
                .map(Endpoint::of)
                .map(Endpoint::toString)
                .orElse("nowhere");
    }

    private static List<String> bypassRules(String list) {
        return ExitNodePlanner.plan(inputsWithBypasses(list)).killSwitchRouting().rules().stream()
                .filter(rule -> rule.preference() == RulePreference.BYPASS)
                .map(rule -> rule.preference() + " to " + rule.selector().to().orElseThrow()
                        + rule.selector()
                                .transport()
                                .map(transport -> " " + transport.name() + " "
                                        + rule.selector().destinationPort().orElseThrow())
                                .orElse("")
                        + " lookup " + ((Action.Lookup) rule.action()).table())
                .toList();
    }

    private static ExitNodeInputs inputsWithBypasses(String list) {
        return PlanExamples.inputs(
                PlanExamples.file("10.64.0.2/32", "0.0.0.0/0", "", "192.0.2.10:51820"),
                PlanExamples.machine(Map.of(Family.IPV4, PlanExamples.IPV4), false, false),
                "CULVERT_BYPASS",
                list);
    }

    private static List<PolicyRule> inOrder(List<PolicyRule> rules, Family family) {
        return rules.stream()
                .filter(rule -> rule.family() == family)
                .sorted(Comparator.comparingInt(PolicyRule::preference))
                .toList();
    }

    private static List<Family> families(Machine machine) {
        return machine.ipv6().present() ? List.of(Family.IPV4, Family.IPV6) : List.of(Family.IPV4);
    }

    static Stream<String> examples() {
        return PlanExamples.all().keySet().stream();
    }

    private static ExitNodeInputs inputs(String name) {
        return PlanExamples.inputsOf(name);
    }
}
