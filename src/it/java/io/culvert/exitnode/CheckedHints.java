// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.lab.CommandResult;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Sandbox;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.StringReader;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Follows hints about the machine or the container: a requirement is removed, 'culvert check' prints the hint, and
 * following it, with the commands that it contains, fixes the fault and causes no other. What a container engine would
 * change is applied to the lab's sandbox. A subclass has the table, in a static method {@code rows}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class CheckedHints {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    /** The conditions of one 'culvert check': its sandbox and its settings. */
    record Run(Sandbox box, Map<String, String> settings) {}

    /**
     * A row of the table.
     *
     * @param shared the part of the hint that is used in several places
     * @param follow follows the hint
     */
    record Row(
            String area,
            String hint,
            String shared,
            Run faulty,
            Consumer<ExitNodeFixture> fault,
            Consumer<ExitNodeFixture> follow,
            Run repaired) {

        /** Follows the hint by running its first command, which is the group of the pattern. */
        Row withCommandFromHint(String pattern, String command) {
            return new Row(
                    area,
                    hint,
                    shared,
                    faulty,
                    fault,
                    fixture -> {
                        Matcher matcher = Pattern.compile(pattern).matcher(hint);
                        assertThat(matcher.find()).as(hint).isTrue();
                        fixture.namespace().run("sh", "-c", command.formatted(matcher.group(1)));
                    },
                    repaired);
        }

        @Override
        public String toString() {
            return hint;
        }
    }

    static Row row(String area, String hint, String shared, Run faulty, Run repaired) {
        return row(area, hint, shared, faulty, _ -> {}, _ -> {}, repaired);
    }

    static Row row(
            String area,
            String hint,
            String shared,
            Run faulty,
            Consumer<ExitNodeFixture> fault,
            Consumer<ExitNodeFixture> follow,
            Run repaired) {
        return new Row(area, hint, shared, faulty, fault, follow, repaired);
    }

    static Run in(Sandbox box) {
        return new Run(box, Map.of());
    }

    static Run in(Sandbox box, Map<String, String> settings) {
        return new Run(box, settings);
    }

    static Consumer<ExitNodeFixture> ip(String... lines) {
        return fixture -> fixture.namespace().ip(lines);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void following_the_hint_fixes_the_fault(Row row) {
        row.fault.accept(fixture);
        try {
            Check faulty = check(row.faulty);
            assertThat(faulty.hints).as(faulty.output).contains(row.hint);
        } finally {
            row.follow.accept(fixture);
        }

        Check repaired = check(row.repaired);
        assertThat(repaired.hints).as(repaired.output).doesNotContain(row.hint);
        assertThat(repaired.success).as(repaired.output).isTrue();
    }

    private record Check(boolean success, List<String> hints, String output) {}

    private Check check(Run run) {
        fixture.in(run.box);
        CommandResult outcome = fixture.run(fixture.settings(run.settings), "check", "--json");
        assertThat(outcome.out()).as(outcome.err()).startsWith("{");
        JsonObject check = Json.createReader(new StringReader(outcome.out())).readObject();
        List<String> hints = check.getJsonArray("categories").getValuesAs(JsonObject.class).stream()
                .flatMap(category -> category.getJsonArray("checks").getValuesAs(JsonObject.class).stream())
                .map(one -> one.getString("hint"))
                .toList();
        return new Check(check.getBoolean("success"), hints, outcome.out());
    }

    /** For HintCoverageTest. */
    static Stream<FollowedHint> of(Stream<Row> rows) {
        return rows.flatMap(row -> row.shared.equals(row.hint)
                ? Stream.of(new FollowedHint(Set.of(row.area, "diagnostics"), row.hint))
                : Stream.of(
                        new FollowedHint(Set.of(row.area), row.hint),
                        new FollowedHint(Set.of("diagnostics"), row.shared)));
    }

    @AfterAll
    void closeLab() {
        fixture.close();
    }
}
