package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.plan.GuardExamples;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ListingTest {

    private static final String LISTED = """
            {"nftables": [{"metainfo": {"version": "1.0.6"}},
             {"table": {"family": "inet", "name": "t", "handle": 4}},
             {"set": {"family": "inet", "name": "s", "table": "t", "type": "ipv4_addr", "handle": 3,
               "flags": ["interval"], "elem": ["192.0.2.9", {"prefix": {"addr": "198.51.100.0", "len": 24}}]}},
             {"chain": {"family": "inet", "table": "t", "name": "c", "handle": 1, "type": "filter", "hook": "output",
               "prio": -10, "policy": "drop"}},
             {"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 7, "comment": "one", "expr": [
               {"match": {"op": "==", "left": {"meta": {"key": "oifname"}}, "right": {"set": ["lo", "wg0"]}}},
               {"counter": {"packets": 12, "bytes": 720}}, {"accept": null}]}},
             {"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 9, "comment": "two", "expr": [
               {"match": {"op": "==", "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, [2, 4]]},
                 "right": 2}}, {"masquerade": {"flags": "random"}}]}}]}
            """;

    @Test
    void is_equal_whatever_the_handles_and_counters() {
        Listing other = Listing.parse(
                LISTED.replace("\"handle\": 7", "\"handle\": 99").replace("\"packets\": 12", "\"packets\": 0"));

        assertThat(Listing.parse(LISTED).differences(other)).isEmpty();
    }

    @Test
    void is_equal_in_the_several_forms_that_versions_of_the_library_write() {
        Listing other = Listing.parse(LISTED.replace("[\"lo\", \"wg0\"]", "[\"wg0\", \"lo\"]")
                .replace("[2, 4]", "{\"|\": [2, 4]}")
                .replace("\"random\"", "[\"random\"]")
                .replace("[\"interval\"]", "\"interval\"")
                .replace("\"policy\": \"drop\"", "\"policy\": \"drop\", \"later\": true"));

        assertThat(Listing.parse(LISTED).differences(other)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.0.6", "1.1.3"})
    void reads_what_versions_of_the_library_listed_after_loading_the_guard(String version) throws IOException {
        Table guard = GuardExamples.all().getOrDefault("tailscale", List.of()).getFirst();
        Path recorded = Path.of("src/test/resources/nft/tailscale-" + version + ".json");

        assertThat(Listing.of(guard).differences(Listing.parse(Files.readString(recorded))))
                .isEmpty();
    }

    @Test
    void a_set_whose_elements_go_after_a_time_is_the_same_with_and_without_them() {
        String with = """
                {"nftables": [{"set": {"family": "inet", "name": "s", "table": "t", "type": "inet_service",
                "flags": ["timeout"], "elem": [{"elem": {"val": 53, "timeout": 180, "expires": 12}}]}}]}""";
        String without = """
                {"nftables": [{"set": {"family": "inet", "name": "s", "table": "t", "type": "inet_service",
                "flags": "timeout"}}]}""";

        assertThat(Listing.parse(with).differences(Listing.parse(without))).isEmpty();
        assertThat(Listing.parse(with).differences(Listing.parse(without.replace("inet_service", "mark"))))
                .containsExactly("the set s differs");
    }

    @Test
    void flags_may_be_summed_step_by_step() {
        assertThat(Listing.parse(LISTED)
                        .differences(Listing.parse(LISTED.replace("[2, 4]", "{\"|\": [{\"|\": [2, 4]}, 4]}"))))
                .isEmpty();
    }

    @Test
    void says_which_rule_differs() {
        assertThat(Listing.parse(LISTED).differences(Listing.parse(LISTED.replace("wg0", "wg1"))))
                .containsExactly("the rule 'one' of chain c differs");
        assertThat(Listing.parse(LISTED).differences(Listing.parse(LISTED.replace("\"two\"", "\"three\""))))
                .containsExactly("the rule 'two' of chain c is missing", "the rule 'three' of chain c is unexpected");
    }

    @Test
    void says_which_set_or_chain_differs() {
        assertThat(Listing.parse(LISTED).differences(Listing.parse(LISTED.replace("192.0.2.9", "192.0.2.8"))))
                .containsExactly("the set s differs");
        assertThat(Listing.parse(LISTED)
                        .differences(Listing.parse(LISTED.replace("\"policy\": \"drop\"", "\"policy\": \"accept\""))))
                .containsExactly("the chain c differs");
        assertThat(Listing.parse(LISTED).differences(Listing.parse("{\"nftables\": []}")))
                .contains("the set s is missing", "the chain c is missing", "the rule 'one' of chain c is missing");
    }

    @Test
    void says_when_rules_changed_places() {
        Rule one = Rule.of("one", Statement.Verdict.ACCEPT);
        Rule two = Rule.of("two", Statement.Verdict.DROP);

        assertThat(Listing.of(table(one, two)).differences(Listing.of(table(two, one))))
                .containsExactly("the rules of chain c are out of order or duplicated");
    }

    @Test
    void counts_by_comment() {
        assertThat(Listing.parse(LISTED).packets()).containsOnly(Map.entry("one", 12L));
    }

    @Test
    void every_example_reads_as_itself() {
        GuardExamples.all()
                .values()
                .forEach(tables ->
                        tables.forEach(table -> assertThat(Listing.of(table).differences(Listing.of(table)))
                                .isEmpty()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{}",
                "{\"nftables\": 1}",
                "{\"nftables\": [1]}",
                "{\"nftables\": [{\"rule\": 1}]}",
                "{\"nftables\": [{\"rule\": {}}]}",
                "{\"nftables\": [{\"set\": {\"name\": 4}}]}",
                "{\"nftables\": [{\"rule\": {\"chain\": \"c\", \"expr\": [{\"counter\": {}}]}}]}"
            })
    void nonsense_is_a_problem_for_people(String nonsense) {
        assertThatThrownBy(() -> Listing.parse(nonsense))
                .isInstanceOfSatisfying(
                        ProblemException.class,
                        e -> assertThat(e.problems()).extracting(Problem::kind).containsExactly(Problem.Kind.FAILURE));
    }

    @FuzzTest
    void any_text_is_a_listing_or_a_problem(FuzzedDataProvider data) {
        try {
            Listing listing = Listing.parse(data.consumeRemainingAsString());
            assertThat(listing.differences(listing)).isEmpty();
        } catch (ProblemException e) {
            assertThat(e.problems()).isNotEmpty();
        }
    }

    private static Table table(Rule... rules) {
        return new Table(new Table.Id(Table.Family.INET, "t"), List.of(), List.of(Chain.regular("c", List.of(rules))));
    }
}
