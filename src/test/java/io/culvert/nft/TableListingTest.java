// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.firewall.KillSwitchExamples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TableListingTest {

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
    void handles_and_counters_are_ignored() {
        TableListing other = TableListing.parse(
                LISTED.replace("\"handle\": 7", "\"handle\": 99").replace("\"packets\": 12", "\"packets\": 0"));

        assertThat(TableListing.parse(LISTED).differences(other)).isEmpty();
    }

    @Test
    void equivalent_forms_of_different_library_versions_are_equal() {
        TableListing other = TableListing.parse(LISTED.replace("[\"lo\", \"wg0\"]", "[\"wg0\", \"lo\"]")
                .replace("[2, 4]", "{\"|\": [2, 4]}")
                .replace("\"random\"", "[\"random\"]")
                .replace("[\"interval\"]", "\"interval\"")
                .replace("\"policy\": \"drop\"", "\"policy\": \"drop\", \"later\": true"));

        assertThat(TableListing.parse(LISTED).differences(other)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.0.6", "1.1.3"})
    void recorded_listings_of_library_versions_match_the_kill_switch(String version) throws IOException {
        Table killSwitch =
                KillSwitchExamples.all().getOrDefault("tailscale", List.of()).getFirst();
        Path recorded = Path.of("src/test/resources/nft/tailscale-" + version + ".json");

        assertThat(TableListing.of(killSwitch).differences(TableListing.parse(Files.readString(recorded))))
                .isEmpty();
    }

    @Test
    void elements_with_a_timeout_are_ignored_in_a_comparison() {
        String with = """
                {"nftables": [{"set": {"family": "inet", "name": "s", "table": "t", "type": "inet_service",
                "flags": ["timeout"], "elem": [{"elem": {"val": 53, "timeout": 180, "expires": 12}}]}}]}""";
        String without = """
                {"nftables": [{"set": {"family": "inet", "name": "s", "table": "t", "type": "inet_service",
                "flags": "timeout"}}]}""";

        assertThat(TableListing.parse(with).differences(TableListing.parse(without)))
                .isEmpty();
        assertThat(TableListing.parse(with).differences(TableListing.parse(without.replace("inet_service", "mark"))))
                .containsExactly("the set s differs");
    }

    @Test
    void nested_sums_of_flags_are_equal() {
        assertThat(TableListing.parse(LISTED)
                        .differences(TableListing.parse(LISTED.replace("[2, 4]", "{\"|\": [{\"|\": [2, 4]}, 4]}"))))
                .isEmpty();
    }

    @Test
    void a_different_rule_is_described() {
        assertThat(TableListing.parse(LISTED).differences(TableListing.parse(LISTED.replace("wg0", "wg1"))))
                .containsExactly("the rule 'one' of chain c differs");
        assertThat(TableListing.parse(LISTED).differences(TableListing.parse(LISTED.replace("\"two\"", "\"three\""))))
                .containsExactly("the rule 'two' of chain c is missing", "the rule 'three' of chain c is unexpected");
    }

    @Test
    void a_different_set_or_chain_is_described() {
        assertThat(TableListing.parse(LISTED).differences(TableListing.parse(LISTED.replace("192.0.2.9", "192.0.2.8"))))
                .containsExactly("the set s differs");
        assertThat(TableListing.parse(LISTED)
                        .differences(
                                TableListing.parse(LISTED.replace("\"policy\": \"drop\"", "\"policy\": \"accept\""))))
                .containsExactly("the chain c differs");
        assertThat(TableListing.parse(LISTED).differences(TableListing.parse("{\"nftables\": []}")))
                .contains("the set s is missing", "the chain c is missing", "the rule 'one' of chain c is missing");
    }

    @Test
    void a_different_order_of_rules_is_described() {
        NftRule one = NftRule.of("one", Statement.Verdict.ACCEPT);
        NftRule two = NftRule.of("two", Statement.Verdict.DROP);

        assertThat(TableListing.of(table(one, two)).differences(TableListing.of(table(two, one))))
                .containsExactly("the rules of chain c are out of order or duplicated");
    }

    @Test
    void packets_are_returned_by_comment() {
        assertThat(TableListing.parse(LISTED).packets()).containsOnly(Map.entry("one", 12L));
    }

    @Test
    void every_example_equals_itself() {
        KillSwitchExamples.all()
                .values()
                .forEach(tables -> tables.forEach(
                        table -> assertThat(TableListing.of(table).differences(TableListing.of(table)))
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
    void an_invalid_listing_is_a_problem(String nonsense) {
        assertThatThrownBy(() -> TableListing.parse(nonsense))
                .isInstanceOfSatisfying(
                        ProblemException.class,
                        e -> assertThat(e.problems()).extracting(Problem::kind).containsExactly(Problem.Kind.FAILURE));
    }

    @FuzzTest
    void any_text_is_a_listing_or_a_problem(FuzzedDataProvider data) {
        try {
            TableListing listing = TableListing.parse(data.consumeRemainingAsString());
            assertThat(listing.differences(listing)).isEmpty();
        } catch (ProblemException e) {
            assertThat(e.problems()).isNotEmpty();
        }
    }

    private static Table table(NftRule... rules) {
        return new Table(new Table.Id(Table.Family.INET, "t"), List.of(), List.of(Chain.regular("c", List.of(rules))));
    }
}
