package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.ip.Prefix;
import io.culvert.linux.TestNamespace;
import io.culvert.plan.GuardExamples;
import io.culvert.plan.GuardRuleset;
import io.culvert.problem.ProblemException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests with the real kernel, and the program nft as an independent observer. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
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
    void everything_that_the_guard_is_made_of_works_here_and_trying_leaves_no_trace() {
        assertThat(nftables.probe()).isEmpty();
        assertThat(nftables.tables()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void what_is_applied_is_there_and_applying_again_changes_nothing(String example) {
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
    void the_text_loaded_by_hand_gives_the_same_rules(String example) {
        List<Table> tables = example(example);
        nftables.apply(tables);

        try (TestNamespace byHand = new TestNamespace()) {
            byHand.feed(NftText.of(tables), "nft", "-f", "-");
            assertThat(rulesOf(byHand)).isEqualTo(rulesOf(namespace));
            byHand.feed(NftText.of(tables), "nft", "-f", "-");
            assertThat(rulesOf(byHand)).as("loaded twice").isEqualTo(rulesOf(namespace));
        }
    }

    @Test
    void a_bad_rule_leaves_the_old_table_as_it_was() {
        Table good = table(Rule.of("good", Statement.Verdict.ACCEPT));
        nftables.apply(List.of(good));
        Table bad = table(Rule.of("better", Statement.Verdict.DROP), Rule.of("bad", new Statement.Jump("nowhere")));

        assertThatThrownBy(() -> nftables.apply(List.of(bad)))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("No such file or directory");

        assertThat(nftables.matches(List.of(good))).isTrue();
    }

    @Test
    void a_rule_deleted_by_hand_is_noticed_and_put_back() {
        List<Table> guard = example("tailscale");
        nftables.apply(guard);
        String rejecting = namespace
                .run("nft", "-a", "list", "chain", "inet", "culvert", "output")
                .lines()
                .filter(line -> line.contains("rejected on the uplink"))
                .findFirst()
                .orElseThrow();
        String handle = rejecting.substring(rejecting.lastIndexOf(' ') + 1);

        namespace.run("nft", "delete", "rule", "inet", "culvert", "output", "handle", handle);

        assertThat(nftables.differences(guard))
                .containsExactly("the rule 'rejected on the uplink' of chain output is missing");
        nftables.apply(guard);
        assertThat(nftables.matches(guard)).isTrue();
    }

    @Test
    void a_rule_put_in_front_by_hand_is_noticed() {
        List<Table> guard = example("closed");
        nftables.apply(guard);

        namespace.run("nft", "insert", "rule", "inet", "culvert", "output", "accept");

        assertThat(nftables.differences(guard))
                .containsExactly("a rule without a comment in chain output is unexpected");
    }

    @Test
    void a_flushed_ruleset_is_noticed() {
        List<Table> guard = example("tailscale");
        nftables.apply(guard);

        namespace.run("nft", "flush", "ruleset");

        assertThat(nftables.differences(guard))
                .containsExactly("the table inet culvert is missing", "the table arp culvert is missing");
    }

    @Test
    void removing_leaves_the_tables_of_others_and_may_be_done_twice() {
        namespace.run("nft", "add", "table", "ip", "foreign");
        namespace.run("nft", "add", "table", "inet", "foreign");
        nftables.apply(example("tailscale"));

        nftables.remove(GuardRuleset.ALL);
        nftables.remove(GuardRuleset.ALL);

        assertThat(namespace.run("nft", "list", "tables"))
                .contains("table ip foreign", "table inet foreign")
                .doesNotContain("culvert");
    }

    @Test
    void ten_thousand_elements_are_held() {
        NamedSet set = holes(IntStream.range(0, 10_000));
        Table table = new Table(
                ID,
                List.of(set),
                List.of(Chain.regular(
                        "c",
                        List.of(Rule.of(
                                "holes",
                                Statement.is(
                                        Field.Joined.of(
                                                Field.Property.IPV4_DESTINATION,
                                                Field.Property.TRANSPORT,
                                                Field.Property.DESTINATION_PORT),
                                        new Value.In(set.name())),
                                Statement.Verdict.ACCEPT)))));
        nftables.apply(List.of(table));
        assertThat(nftables.matches(List.of(table))).isTrue();
    }

    @Test
    void counters_are_told_by_comment() {
        nftables.apply(List.of(new Table(
                ID,
                List.of(),
                List.of(Chain.base(
                        "in",
                        Chain.Type.FILTER,
                        Chain.Hook.INPUT,
                        0,
                        Chain.Policy.ACCEPT,
                        List.of(
                                Rule.of("not counted", Statement.Verdict.ACCEPT),
                                Rule.of("counted", new Statement.Counter(), Statement.Verdict.ACCEPT)))))));

        assertThat(nftables.counters(ID)).containsExactly(Map.entry("counted", 0L));
    }

    static Stream<String> examples() {
        return GuardExamples.all().keySet().stream();
    }

    private static List<Table> example(String name) {
        return Objects.requireNonNull(GuardExamples.all().get(name));
    }

    private static NamedSet holes(IntStream numbers) {
        return new NamedSet(
                "holes",
                List.of(NamedSet.Part.IPV4, NamedSet.Part.TRANSPORT, NamedSet.Part.PORT),
                true,
                numbers.<Value>mapToObj(i -> Value.Tuple.of(
                                Value.Address.of(Prefix.parseAddress("198.18." + i / 200 + "." + i % 200)),
                                new Value.Word("tcp", 6),
                                new Value.Decimal(443)))
                        .toList());
    }

    private static Table table(Rule... rules) {
        return new Table(ID, List.of(), List.of(Chain.regular("c", List.of(rules))));
    }

    private static String rulesOf(TestNamespace namespace) {
        return namespace.run("nft", "list", "ruleset").replaceAll(" expires \\w+", "");
    }
}
