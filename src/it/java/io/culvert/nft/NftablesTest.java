// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import io.culvert.firewall.KillSwitchExamples;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.lab.NamespaceTest;
import io.culvert.linux.TestNamespace;
import io.culvert.net.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests with the real kernel, and the program nft as an independent observer. */
@NamespaceTest
class NftablesTest {

    private static final Table.Id ID = new Table.Id(Table.Family.INET, "culvert");

    private final TestNamespace namespace = new TestNamespace();
    private final Nftables nftables = namespace.inside(Nftables::open);

    @AfterEach
    void leave() {
        nftables.close();
        namespace.close();
    }

    @Test
    void the_probe_succeeds_and_leaves_no_tables() {
        assertThat(nftables.probe()).isEmpty();
        assertThat(nftables.tables()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void applying_the_same_tables_again_changes_nothing(String example) {
        List<Table> tables = example(example);

        nftables.apply(tables);
        String once = rulesOf(namespace);
        nftables.apply(tables);

        assertThat(rulesOf(namespace)).isEqualTo(once).contains("table inet culvert");
        assertThat(nftables.matches(tables)).isTrue();
        assertThat(nftables.tables())
                .containsExactlyInAnyOrderElementsOf(
                        tables.stream().map(Table::id).toList());
    }

    @ParameterizedTest
    @MethodSource("examples")
    void the_text_form_loaded_by_nft_gives_the_same_rules(String example) {
        List<Table> tables = example(example);
        nftables.apply(tables);

        try (TestNamespace byHand = new TestNamespace()) {
            byHand.runWithInput(NftText.of(tables), "nft", "-f", "-");
            assertThat(rulesOf(byHand)).isEqualTo(rulesOf(namespace));
            byHand.runWithInput(NftText.of(tables), "nft", "-f", "-");
            assertThat(rulesOf(byHand)).as("loaded twice").isEqualTo(rulesOf(namespace));
        }
    }

    @Test
    void an_invalid_rule_leaves_the_old_table_unchanged() {
        Table validTable = table(NftRule.of("good", Statement.Verdict.ACCEPT));
        nftables.apply(List.of(validTable));
        Table invalidTable =
                table(NftRule.of("better", Statement.Verdict.DROP), NftRule.of("bad", new Statement.Jump("nowhere")));

        assertThatThrownBy(() -> nftables.apply(List.of(invalidTable)))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("No such file or directory");

        assertThat(nftables.matches(List.of(validTable))).isTrue();
    }

    @Test
    void a_rule_deleted_by_another_program_is_detected_and_restored() {
        List<Table> killSwitch = example("tailscale");
        nftables.apply(killSwitch);
        String rejectRule = namespace
                .run("nft", "-a", "list", "chain", "inet", "culvert", "output")
                .lines()
                .filter(line -> line.contains("rejected on the uplink"))
                .findFirst()
                .orElseThrow();
        String handle = rejectRule.substring(rejectRule.lastIndexOf(' ') + 1);

        namespace.run("nft", "delete", "rule", "inet", "culvert", "output", "handle", handle);

        assertThat(nftables.differences(killSwitch))
                .containsExactly("the rule 'rejected on the uplink' of chain output is missing");
        nftables.apply(killSwitch);
        assertThat(nftables.matches(killSwitch)).isTrue();
    }

    @Test
    void a_rule_inserted_by_another_program_is_detected() {
        List<Table> killSwitch = example("lockdown");
        nftables.apply(killSwitch);

        namespace.run("nft", "insert", "rule", "inet", "culvert", "output", "accept");

        assertThat(nftables.differences(killSwitch))
                .containsExactly("a rule without a comment in chain output is unexpected");
    }

    @Test
    void a_flushed_ruleset_is_detected() {
        List<Table> killSwitch = example("tailscale");
        nftables.apply(killSwitch);

        namespace.run("nft", "flush", "ruleset");

        assertThat(nftables.differences(killSwitch))
                .containsExactly("the table inet culvert is missing", "the table arp culvert is missing");
    }

    @Test
    void removing_keeps_foreign_tables_and_is_idempotent() {
        namespace.run("nft", "add", "table", "ip", "foreign");
        namespace.run("nft", "add", "table", "inet", "foreign");
        nftables.apply(example("tailscale"));

        nftables.remove(KillSwitchRuleset.ALL);
        nftables.remove(KillSwitchRuleset.ALL);

        assertThat(namespace.run("nft", "list", "tables"))
                .contains("table ip foreign", "table inet foreign")
                .doesNotContain("culvert");
    }

    @Test
    void a_set_of_ten_thousand_elements_is_applied() {
        NamedSet set = bypasses(IntStream.range(0, 10_000));
        Table table = new Table(
                ID,
                List.of(set),
                List.of(Chain.regular(
                        "c",
                        List.of(NftRule.of(
                                "bypasses",
                                Statement.is(
                                        MatchField.Joined.of(
                                                MatchField.Property.IPV4_DESTINATION,
                                                MatchField.Property.TRANSPORT,
                                                MatchField.Property.DESTINATION_PORT),
                                        new NftValue.In(set.name())),
                                Statement.Verdict.ACCEPT)))));
        nftables.apply(List.of(table));
        assertThat(nftables.matches(List.of(table))).isTrue();
    }

    @Test
    void counters_are_returned_by_comment() {
        nftables.apply(List.of(new Table(
                ID,
                List.of(),
                List.of(Chain.filter(
                        "in",
                        Chain.Hook.INPUT,
                        0,
                        Chain.Policy.ACCEPT,
                        List.of(
                                NftRule.of("not counted", Statement.Verdict.ACCEPT),
                                NftRule.of("counted", new Statement.Counter(), Statement.Verdict.ACCEPT)))))));

        assertThat(nftables.counters(ID)).containsExactly(Map.entry("counted", 0L));
    }

    static Stream<String> examples() {
        return KillSwitchExamples.all().keySet().stream();
    }

    private static List<Table> example(String name) {
        return Objects.requireNonNull(KillSwitchExamples.all().get(name));
    }

    private static NamedSet bypasses(IntStream numbers) {
        return new NamedSet(
                "bypasses",
                List.of(NamedSet.Part.IPV4, NamedSet.Part.TRANSPORT, NamedSet.Part.PORT),
                true,
                numbers.<NftValue>mapToObj(i -> NftValue.Tuple.of(
                                NftValue.Address.of(Prefix.parseAddress("198.18." + i / 200 + "." + i % 200)),
                                new NftValue.Word("tcp", 6),
                                new NftValue.Decimal(443)))
                        .toList());
    }

    private static Table table(NftRule... rules) {
        return new Table(ID, List.of(), List.of(Chain.regular("c", List.of(rules))));
    }

    private static String rulesOf(TestNamespace namespace) {
        return namespace.run("nft", "list", "ruleset").replaceAll(" expires \\w+", "");
    }
}
