// SPDX-License-Identifier: Apache-2.0
package io.culvert.leaktest;

import io.culvert.leaktest.LeakTestSummary.Verdict;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The result of a leak test.
 *
 * @param unproven why the test does not show that nothing leaks; empty if it does
 */
public record LeakTestResult(Instant time, List<Entry> entries, Optional<String> unproven) {

    /** What became of one leak probe or positive control. */
    public enum Outcome {
        PASSED,
        FAILED,
        SKIPPED;

        /** Lower case, as shown. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** @param reason why it was skipped; otherwise empty */
    public record Entry(String name, Outcome outcome, String reason) {

        @Override
        public String toString() {
            return name + ": " + outcome + (reason.isEmpty() ? "" : ": " + reason);
        }
    }

    public LeakTestResult {
        entries = List.copyOf(entries);
    }

    /** Returns the result of a test that could not be run. */
    public static LeakTestResult notRun(Instant time, String reason) {
        return new LeakTestResult(time, List.of(), Optional.of(reason));
    }

    /** Returns what the test says: a leak counts whatever else could not be shown. */
    public Verdict verdict() {
        if (count(Outcome.FAILED) > 0) {
            return Verdict.LEAK;
        }
        return unproven.isPresent() ? Verdict.NOT_RUN : Verdict.PASSED;
    }

    public LeakTestSummary summary() {
        return new LeakTestSummary(
                time,
                verdict(),
                count(Outcome.PASSED),
                count(Outcome.FAILED),
                count(Outcome.SKIPPED),
                entries.stream()
                        .filter(entry -> entry.outcome() == Outcome.FAILED)
                        .map(Entry::name)
                        .toList(),
                unproven.orElse(""));
    }

    private int count(Outcome outcome) {
        return (int)
                entries.stream().filter(entry -> entry.outcome() == outcome).count();
    }

    /** Returns one line for each leak probe, and the totals. */
    public String text() {
        List<String> lines =
                new ArrayList<>(entries.stream().map(Entry::toString).toList());
        lines.add(summary().totals());
        return String.join("\n", lines);
    }

    public JsonObject toJson() {
        JsonArrayBuilder probes = Json.createArrayBuilder();
        entries.forEach(entry -> probes.add(Json.createObjectBuilder()
                .add("name", entry.name())
                .add("result", entry.outcome().toString())
                .add("reason", entry.reason())));
        return Json.createObjectBuilder(summary().toJson())
                .add("probes", probes)
                .build();
    }

    public static LeakTestResult fromJson(JsonObject json) {
        LeakTestSummary summary = LeakTestSummary.fromJson(json);
        return new LeakTestResult(
                summary.time(),
                json.getJsonArray("probes").getValuesAs(JsonObject.class).stream()
                        .map(probe -> new Entry(
                                probe.getString("name"),
                                Outcome.valueOf(probe.getString("result").toUpperCase(Locale.ROOT)),
                                probe.getString("reason")))
                        .toList(),
                summary.reason().isEmpty() ? Optional.empty() : Optional.of(summary.reason()));
    }
}
