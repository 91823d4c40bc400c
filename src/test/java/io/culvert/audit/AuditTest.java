// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.TextFile;
import io.culvert.audit.Violation.JudgedLayers;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.Expression;
import io.culvert.nft.KernelChain;
import io.culvert.nft.KernelRuleset;
import io.culvert.nft.KernelSet;
import io.culvert.nft.KernelTable;
import io.culvert.nft.NfTables;
import io.culvert.nft.TableRule;
import io.culvert.packetpath.PlannedNamespace;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.PlanExamples;
import io.culvert.rtnl.LookupRoute;
import io.culvert.rtnl.LookupRule;
import io.culvert.rtnl.Route;
import io.culvert.rtnl.RoutingState;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AuditTest {

    private static final String EXAMPLE = "ipv4-only-file";

    private static final long TUNNEL_TABLE = 51820;

    /** {@code NF_INET_LOCAL_OUT} (include/uapi/linux/netfilter.h). */
    private static final int OUTPUT = 3;

    static Stream<String> examples() {
        return PlanExamples.all().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void what_is_planned_keeps_the_promise_with_both_layers_and_with_each_alone(String example) {
        assertThat(auditOf(example, it -> it, it -> it).violations()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("reports")
    void the_report_matches_the_expected_file(String example) {
        TextFile.assertContent(
                Path.of("src/test/resources/audit", example + ".txt"),
                auditOf(example, it -> it, it -> it).text() + "\n");
    }

    static Stream<String> reports() {
        return Stream.of(EXAMPLE, "tailscale", "strict-reverse-path");
    }

    @Test
    void without_a_kill_switch_everything_may_leave() {
        AuditReport report = auditOf(EXAMPLE, AuditTest::withoutOwnRules, _ -> List.of());

        assertThat(report.isClean()).isFalse();
        assertThat(sentences(report, JudgedLayers.BOTH))
                .contains("may leave by eth0: TCP from 192.168.7.2:40000 to 203.0.113.9:443");
        assertThat(report.violations().getFirst().path()).first().asString().contains("lookup main, default dev eth0");
    }

    @Test
    void without_its_routing_rules_only_the_routing_layer_is_not_sufficient() {
        AuditReport report = auditOf(EXAMPLE, AuditTest::withoutOwnRules, it -> it);

        assertThat(report.violations()).extracting(Violation::layers).containsOnly(JudgedLayers.ROUTING);
        assertThat(sentences(report, JudgedLayers.ROUTING))
                .contains("may leave by eth0: TCP from 192.168.7.2:40000 to 203.0.113.9:443");
    }

    @Test
    void without_its_tables_nftables_is_not_sufficient() {
        AuditReport report = auditOf(EXAMPLE, it -> it, _ -> List.of());

        assertThat(report.violations()).extracting(Violation::layers).doesNotContain(JudgedLayers.ROUTING);
        assertThat(sentences(report, JudgedLayers.NFTABLES))
                .contains("may leave by eth0: TCP from 192.168.7.2:40000 to 203.0.113.9:443");
    }

    @Test
    void a_more_specific_route_in_the_main_table_changes_nothing() {
        AuditReport report = auditOf(
                EXAMPLE, routing -> with(routing, route(routing, Route.MAIN, "203.0.113.0/25")), tables -> tables);

        assertThat(report.violations()).isEmpty();
    }

    @Test
    void a_route_in_the_tunnels_table_voids_the_routing_layer() {
        AuditReport report = auditOf(
                EXAMPLE, routing -> with(routing, route(routing, TUNNEL_TABLE, "203.0.113.0/25")), tables -> tables);

        assertThat(report.violations()).singleElement().satisfies(violation -> {
            assertThat(violation.layers()).isEqualTo(JudgedLayers.ROUTING);
            assertThat(violation.sentence())
                    .isEqualTo("may leave by eth0: TCP from 192.168.7.2:40000 to 203.0.113.9:443");
            assertThat(violation.path()).last().asString().contains("203.0.113.0/25 dev eth0");
        });
    }

    @Test
    void without_its_anti_spoofing_rules_the_tunnels_address_is_reachable_from_an_uplink() {
        AuditReport report = auditOf("strict-reverse-path", it -> it, tables -> withoutChain(tables, "anti_spoofing"));

        assertThat(sentences(report, JudgedLayers.BOTH))
                .contains("may come in through eth0: TCP from 198.51.100.7:40000 to 10.64.0.2:8080");
    }

    @Test
    void a_widened_set_is_named_with_its_rule() {
        AuditReport report = auditOf(EXAMPLE, it -> it, tables -> changed(tables, AuditTest::widened));

        assertThat(report.violations())
                .filteredOn(violation -> violation.layers() == JudgedLayers.NFTABLES)
                .anySatisfy(violation -> {
                    assertThat(violation.sentence())
                            .isEqualTo("may leave by eth0: TCP from 192.168.7.2:40000 to 203.0.113.9:443");
                    assertThat(violation.path()).anyMatch(step -> step.endsWith("\"to the allowed LAN, IPv4\""));
                });
    }

    @Test
    void a_foreign_table_that_accepts_everything_changes_nothing_and_is_named() {
        AuditReport report =
                auditOf(EXAMPLE, it -> it, tables -> with(tables, foreign(-300, verdict(NfTables.NF_ACCEPT))));

        assertThat(report.violations()).isEmpty();
        assertThat(report.foreign()).singleElement().asString().startsWith("table 'ip other' only accepts packets");
    }

    @Test
    void a_foreign_rule_that_sets_the_tunnels_mark_is_named() {
        AuditReport report = auditOf(
                EXAMPLE,
                it -> it,
                tables -> with(
                        tables,
                        foreign(
                                -310,
                                Expression.of("immediate")
                                        .with(NfTables.NFTA_IMMEDIATE_DREG, NfTables.NFT_REG32_00)
                                        .withData(
                                                NfTables.NFTA_IMMEDIATE_DATA,
                                                ByteBuffer.allocate(Integer.BYTES)
                                                        .order(ByteOrder.nativeOrder())
                                                        .putInt(0x51000000)
                                                        .array()),
                                Expression.of("meta")
                                        .with(NfTables.NFTA_META_KEY, NfTables.NFT_META_MARK)
                                        .with(NfTables.NFTA_META_SREG, NfTables.NFT_REG32_00))));

        assertThat(sentences(report, JudgedLayers.NFTABLES))
                .contains("may leave by eth0: TCP from 192.168.7.2:40000 to 192.168.7.1:53");
        assertThat(report.foreign()).containsExactly("table 'ip other' sets packet marks");
    }

    @Test
    void what_is_not_modelled_counts_as_a_violation() {
        for (String name : List.of("dup", "queue", "something_new")) {
            AuditReport report = auditOf(EXAMPLE, it -> it, tables -> with(tables, foreign(0, Expression.of(name))));

            assertThat(sentences(report, JudgedLayers.BOTH))
                    .as(name)
                    .anyMatch(sentence -> sentence.startsWith("anything may leave: table 'ip other' "));
        }
    }

    @Test
    void a_rule_that_forwards_from_a_links_own_hook_counts_as_a_violation() {
        KernelTable table = new KernelTable(
                KernelTable.NETDEV,
                "other",
                false,
                List.of(new KernelChain("c", Optional.empty(), List.of(rule(Expression.of("fwd"))))),
                List.of(),
                List.of());

        assertThat(sentences(auditOf(EXAMPLE, it -> it, tables -> with(tables, table)), JudgedLayers.BOTH))
                .containsExactly(
                        "anything may leave: table 'netdev other' forwards packets to another interface (fwd)");
    }

    @Test
    void a_table_that_cannot_be_read_counts_as_a_violation() {
        ExitNodeInputs inputs = PlanExamples.inputsOf(EXAMPLE);
        ExitNodePlan plan = ExitNodePlanner.plan(inputs);
        PlannedNamespace namespace = PlannedNamespace.of(plan);

        assertThat(Audit.violations(
                        namespace.routing(),
                        new KernelRuleset(
                                Optional.empty(),
                                namespace.tables(),
                                List.of(new KernelRuleset.Unreadable("ip future", "an unknown attribute"))),
                        Promise.of(AuditedExamples.promiseInputs(inputs, plan))))
                .extracting(Violation::sentence)
                .containsExactly("anything may leave: table 'ip future' is not understood (an unknown attribute)");
    }

    private static AuditReport auditOf(
            String example, UnaryOperator<RoutingState> routing, UnaryOperator<List<KernelTable>> tables) {
        ExitNodeInputs inputs = PlanExamples.inputsOf(example);
        ExitNodePlan plan = ExitNodePlanner.plan(inputs);
        PlannedNamespace namespace = PlannedNamespace.of(plan);
        return Audit.of(
                routing.apply(namespace.routing()),
                new KernelRuleset(Optional.empty(), tables.apply(namespace.tables()), List.of()),
                Promise.of(AuditedExamples.promiseInputs(inputs, plan)));
    }

    private static List<String> sentences(AuditReport report, JudgedLayers layers) {
        return report.violations().stream()
                .filter(violation -> violation.layers() == layers)
                .map(Violation::sentence)
                .toList();
    }

    private static RoutingState withoutOwnRules(RoutingState routing) {
        return new RoutingState(
                routing.links(),
                routing.addresses(),
                routing.rules().stream().filter(rule -> !rule.isOurs()).toList(),
                routing.routes());
    }

    private static RoutingState with(RoutingState routing, LookupRoute route) {
        List<LookupRoute> routes = new ArrayList<>(routing.routes());
        routes.add(route);
        List<LookupRule> rules = routing.rules();
        return new RoutingState(routing.links(), routing.addresses(), rules, routes);
    }

    private static LookupRoute route(RoutingState routing, long table, String destination) {
        int link = routing.links().stream()
                .filter(it -> it.name().equals("eth0"))
                .findFirst()
                .orElseThrow()
                .index();
        return new LookupRoute(
                Family.IPV4,
                table,
                LookupRoute.Kind.UNICAST,
                Prefix.parse(destination),
                Prefix.all(Family.IPV4),
                0,
                0,
                Optional.empty(),
                List.of(new LookupRoute.Hop(link, Optional.of(Prefix.parseAddress("192.168.7.1")), true)),
                true);
    }

    private static List<KernelTable> with(List<KernelTable> tables, KernelTable table) {
        List<KernelTable> all = new ArrayList<>(tables);
        all.add(table);
        return all;
    }

    private static KernelTable foreign(int priority, Expression... expressions) {
        return new KernelTable(
                KernelTable.IPV4,
                "other",
                false,
                List.of(new KernelChain(
                        "c",
                        Optional.of(new KernelChain.Hook("filter", OUTPUT, priority, true, List.of())),
                        List.of(rule(expressions)))),
                List.of(),
                List.of());
    }

    private static TableRule rule(Expression... expressions) {
        return new TableRule(1, "", List.of(expressions));
    }

    private static Expression verdict(int code) {
        return Expression.of("immediate")
                .with(NfTables.NFTA_IMMEDIATE_DREG, NfTables.NFT_REG_VERDICT)
                .withVerdict(NfTables.NFTA_IMMEDIATE_DATA, code, null);
    }

    private static List<KernelTable> changed(List<KernelTable> tables, UnaryOperator<KernelSet> change) {
        return tables.stream()
                .map(table -> new KernelTable(
                        table.family(),
                        table.name(),
                        table.isDormant(),
                        table.chains(),
                        table.sets().stream().map(change).toList(),
                        table.flowtables()))
                .toList();
    }

    private static List<KernelTable> withoutChain(List<KernelTable> tables, String chain) {
        return tables.stream()
                .map(table -> new KernelTable(
                        table.family(),
                        table.name(),
                        table.isDormant(),
                        table.chains().stream()
                                .filter(it -> !it.name().equals(chain))
                                .toList(),
                        table.sets(),
                        table.flowtables()))
                .toList();
    }

    private static KernelSet widened(KernelSet set) {
        if (!set.name().equals("lan4")) {
            return set;
        }
        KernelSet.Element everything = new KernelSet.Element(
                new byte[4], new byte[] {-1, -1, -1, -1}, false, Optional.empty(), Optional.empty(), false);
        return new KernelSet(
                set.name(), set.keyLength(), set.fieldLengths(), set.isMap(), set.isDynamic(), List.of(everything));
    }
}
