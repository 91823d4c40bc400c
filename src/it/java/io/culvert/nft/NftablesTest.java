// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.lab.KernelTest;
import io.culvert.lab.NamespaceTest;
import io.culvert.linux.TestNamespace;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.plan.RulesetExamples;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

        assertThat(rulesOf(namespace)).isEqualTo(once).contains("table inet ");
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
    @KernelTest
    void every_ruleset_replaces_the_one_before_and_is_read_back() {
        assertThat(nftables.probe()).isEmpty();
        RulesetExamples.all().forEach((name, tables) -> {
            nftables.apply(tables);
            assertThat(nftables.matches(tables)).as(name).isTrue();
            try (Nftables another = namespace.inside(Nftables::open)) {
                assertThat(another.differences(tables)).as(name).isEmpty();
            }
        });
    }

    /** libnftables is a second encoder, with the JSON that Culvert would give it. */
    @ParameterizedTest
    @MethodSource("examples")
    void libnftables_makes_the_same_rules_and_lists_them_as_they_were_meant(String example) {
        List<Table> tables = example(example);
        nftables.apply(tables);

        for (Table table : tables) {
            String listing = namespace.run(
                    "nft",
                    "-j",
                    "-n",
                    "list",
                    "table",
                    table.id().family().toString(),
                    table.id().name());
            assertThat(TableListing.of(table).differences(TableListing.parse(listing)))
                    .isEmpty();
        }
        try (TestNamespace other = new TestNamespace();
                Rulesets rulesets = other.inside(Rulesets::open)) {
            other.runWithInput(NftJson.create(tables), "nft", "-j", "-f", "-");
            Map<Table.Id, EncodedTable> listed =
                    rulesets.read(tables.stream().map(Table::id).toList()).tables();
            for (Table table : tables) {
                assertThat(EncodedTable.of(table)
                                .differences(
                                        withoutEffectlessExpressions(Objects.requireNonNull(listed.get(table.id())))))
                        .isEmpty();
            }
        }
    }

    /** nft 1.0.6 changes the byte order of protocol numbers in concatenations, which are too short for that. */
    private static EncodedTable withoutEffectlessExpressions(EncodedTable table) {
        Map<String, EncodedChain> chains = new TreeMap<>(table.chains());
        chains.replaceAll((name, chain) -> new EncodedChain(
                name,
                chain.hook(),
                chain.flags(),
                chain.rules().stream()
                        .map(rule -> new EncodedRule(
                                rule.comment(),
                                rule.expressions().stream()
                                        .filter(expression -> !expression.name().equals("byteorder")
                                                || !expression.is(NfTables.NFTA_BYTEORDER_LEN, 1))
                                        .toList(),
                                rule.sets()))
                        .toList()));
        return new EncodedTable(table.id(), table.flags(), table.sets(), chains, table.others());
    }

    @Test
    void an_invalid_rule_leaves_the_old_table_unchanged() {
        Table validTable = table(NftRule.of("good", Statement.Verdict.ACCEPT));
        nftables.apply(List.of(validTable));
        Table invalidTable =
                table(NftRule.of("better", Statement.Verdict.DROP), NftRule.of("bad", new Statement.Jump("nowhere")));

        assertThatThrownBy(() -> nftables.apply(List.of(invalidTable)))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("the rule 'bad' of chain c, expression 'immediate': no such object");

        assertThat(nftables.matches(List.of(validTable))).isTrue();
    }

    @Test
    void a_rule_deleted_by_another_program_is_detected_and_restored() {
        List<Table> killSwitch = example("kill switch: tailscale");
        nftables.apply(killSwitch);
        String handle = handle("output", "rejected on the uplink");

        namespace.run("nft", "delete", "rule", "inet", "culvert", "output", "handle", handle);

        assertThat(nftables.differences(killSwitch))
                .containsExactly("the rule 'rejected on the uplink' of chain output is missing");
        nftables.apply(killSwitch);
        assertThat(nftables.matches(killSwitch)).isTrue();
    }

    @Test
    void a_rule_inserted_by_another_program_is_detected() {
        List<Table> killSwitch = example("kill switch: lockdown");
        nftables.apply(killSwitch);

        namespace.run("nft", "insert", "rule", "inet", "culvert", "output", "accept");

        assertThat(nftables.differences(killSwitch))
                .containsExactly("a rule without a comment in chain output is unexpected");
    }

    @Test
    void a_flushed_ruleset_is_detected() {
        List<Table> killSwitch = example("kill switch: tailscale");
        nftables.apply(killSwitch);

        namespace.run("nft", "flush", "ruleset");

        assertThat(nftables.differences(killSwitch))
                .containsExactly("the table inet culvert is missing", "the table arp culvert is missing");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    chain inet culvert output { policy accept; }           | the chain output differs
                    add chain inet culvert more                            | the chain more is unexpected
                    add set inet culvert more { type mark; }               | the set more is unexpected
                    add map inet culvert more { type mark : mark; }        | the map more is unexpected
                    add counter inet culvert more                          | the object more is unexpected
                    add element inet culvert lan4 { 198.51.100.0/24 }      | the set lan4 differs
                    delete element inet culvert lan4 { 192.0.2.0/24 }      | the set lan4 differs
                    add element inet culvert servers4 { 192.0.2.1 . 53 }   | the set servers4 differs
                    add element inet culvert bypass_port4 { 192.0.2.1 . tcp . 53 } | the set bypass_port4 differs
                    delete element inet culvert bypass_port4 { 203.0.113.7 . tcp . 443 } | the set bypass_port4 differs
                    add table inet culvert { flags dormant; }              | the table culvert differs
                    add rule inet culvert output accept                    | a rule without a comment in chain output is unexpected
                    insert rule inet culvert output accept comment "x"     | the rule 'x' of chain output is unexpected
                    flush chain arp culvert input                          | the rule 'ARP for a tunnel or mesh address' of chain input is missing
                    """)
    void a_change_by_another_program_is_described(String command, String difference) {
        List<Table> killSwitch = example("kill switch: tailscale");
        nftables.apply(killSwitch);
        assertThat(nftables.differences(killSwitch)).isEmpty();

        namespace.runWithInput(command, "nft", "-f", "-");

        assertThat(nftables.differences(killSwitch)).containsExactly(difference);
        nftables.apply(killSwitch);
        assertThat(nftables.differences(killSwitch)).isEmpty();
    }

    @Test
    void changes_of_other_tables_during_a_listing_are_no_differences() throws InterruptedException {
        List<Table> killSwitch = example("kill switch: tailscale");
        nftables.apply(killSwitch);
        List<Table> others = example("every form");
        Thread otherProgram = Thread.ofPlatform().start(() -> {
            try (Nftables its = namespace.inside(Nftables::open)) {
                for (int i = 0; i < 200; i++) {
                    its.apply(others);
                    its.remove(others.stream().map(Table::id).toList());
                }
            }
        });

        do {
            assertThat(nftables.differences(killSwitch)).isEmpty();
        } while (otherProgram.isAlive());
        otherProgram.join();
    }

    @Test
    void a_changed_and_a_moved_rule_are_described() {
        List<Table> killSwitch = example("kill switch: tailscale");
        nftables.apply(killSwitch);
        String comment = "comment \"to an uplink\"";
        String handle = handle("output", comment);

        namespace.run("nft", "replace rule inet culvert output handle " + handle + " goto uplink " + comment);
        assertThat(nftables.differences(killSwitch)).containsExactly("the rule 'to an uplink' of chain output differs");
        namespace.run("nft", "delete rule inet culvert output handle " + handle);
        namespace.run("nft", "add rule inet culvert output jump uplink " + comment);
        assertThat(nftables.differences(killSwitch))
                .containsExactly("the rules of chain output are out of order or duplicated");
    }

    private String handle(String chain, String rule) {
        String line = namespace
                .run("nft", "-a", "list", "chain", "inet", "culvert", chain)
                .lines()
                .filter(it -> it.contains(rule))
                .findFirst()
                .orElseThrow();
        return line.substring(line.lastIndexOf(' ') + 1);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    meta mark set 0x51000000                                  | sets a firewall mark that the kill switch accepts
                    meta mark set meta mark or 0x51000000                     | sets a firewall mark that the kill switch accepts
                    ct mark set 0x80000                                       | sets a firewall mark that the kill switch accepts
                    meta mark set udp dport map { 7 : 0x51000000, 8 : 0x1 }   | sets a firewall mark that the kill switch accepts
                    meta mark set meta random                                 | sets a firewall mark that the kill switch accepts
                    notrack                                                   | disables connection tracking (notrack)
                    dup to 192.0.2.1                                          | duplicates packets (dup)
                    """)
    void a_rule_of_another_program_with_an_irreversible_effect_is_described(String rule, String effect) {
        namespace.runWithInput(
                "table ip other { chain c { type filter hook prerouting priority raw; counter " + rule + "; }; }",
                "nft",
                "-f",
                "-");

        assertThat(nftables.foreign(KillSwitchRuleset.ALL, Marks.DEFAULT.exempt(true)))
                .containsExactly("foreign table 'ip other' " + effect);
    }

    @Test
    void other_marks_of_other_programs_are_not_described() {
        namespace.runWithInput("""
                table ip other {
                    chain c {
                        type filter hook prerouting priority mangle;
                        meta mark set 0x1
                        meta mark set meta mark or 0x4000
                        meta mark set meta mark xor 0x4000
                        meta mark set meta mark & 0xff00ffff | 0x00040000
                        ct mark set meta mark & 0x00ff0000
                        meta mark set ct mark & 0x00ff0000
                        meta mark set ct mark
                        meta mark set numgen inc mod 4 offset 1
                        meta mark set ip saddr map { 192.0.2.1 : 0x1, 192.0.2.2 : 0x2 }
                        meta priority set 0x51000000
                        meta mark 0x51000000 accept
                    }
                }
                """, "nft", "-f", "-");

        assertThat(nftables.foreign(KillSwitchRuleset.ALL, Marks.DEFAULT.exempt(true)))
                .isEmpty();
    }

    @Test
    void removing_keeps_foreign_tables_and_is_idempotent() {
        namespace.run("nft", "add", "table", "ip", "foreign");
        namespace.run("nft", "add", "table", "inet", "foreign");
        nftables.apply(example("kill switch: tailscale"));

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

    /** As where the socket's send buffer cannot be enlarged, which depends on the machine. */
    @Test
    void large_sets_whose_elements_follow_in_further_transactions_are_the_same() {
        NamedSet networks = new NamedSet(
                "networks",
                List.of(NamedSet.Part.IPV4),
                true,
                IntStream.range(0, 2_345)
                        .<NftValue>mapToObj(i -> new NftValue.Address(
                                Prefix.parse("198." + (18 + i / 20_000) + "." + i / 200 + "." + i % 200 + "/32")))
                        .toList());
        Table table = new Table(ID, List.of(bypasses(IntStream.range(0, 2_345)), networks), List.of());

        nftables.applyInSteps(List.of(EncodedTable.of(table)));

        assertThat(nftables.differences(List.of(table))).isEmpty();
        nftables.applyInSteps(List.of(EncodedTable.of(table)));
        assertThat(nftables.differences(List.of(table))).isEmpty();
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
        return RulesetExamples.all().keySet().stream();
    }

    private static List<Table> example(String name) {
        return Objects.requireNonNull(RulesetExamples.all().get(name));
    }

    private static NamedSet bypasses(IntStream numbers) {
        return new NamedSet(
                "bypasses",
                List.of(NamedSet.Part.IPV4, NamedSet.Part.TRANSPORT, NamedSet.Part.PORT),
                true,
                numbers.<NftValue>mapToObj(i -> NftValue.Tuple.of(
                                NftValue.Address.of(Prefix.parseAddress(
                                        "198." + (18 + i / 20_000) + "." + i / 200 % 100 + "." + i % 200)),
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
