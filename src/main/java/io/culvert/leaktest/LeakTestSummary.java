// SPDX-License-Identifier: Apache-2.0
package io.culvert.leaktest;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/**
 * The result of a leak test in short.
 *
 * @param leaks the names of the leak probes that failed
 * @param reason why the test says nothing, with {@link Verdict#NOT_RUN}; otherwise empty
 */
public record LeakTestSummary(
        Instant time, Verdict verdict, int passed, int failed, int skipped, List<String> leaks, String reason) {

    /** What the test says. */
    public enum Verdict {
        /** Nothing leaked that was tested, and the positive controls were seen. */
        PASSED,
        LEAK,
        /** The test could not be run, or a positive control was not seen: it says nothing. */
        NOT_RUN;

        /** Returns the word that is shown. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    public LeakTestSummary {
        leaks = List.copyOf(leaks);
    }

    /** Returns the totals, such as {@code 60 passed, 0 failed, 4 skipped}. */
    public String totals() {
        return passed + " passed, " + failed + " failed, " + skipped + " skipped";
    }

    public JsonObject toJson() {
        return Json.createObjectBuilder()
                .add("time", time.toString())
                .add("result", verdict.toString())
                .add("passed", passed)
                .add("failed", failed)
                .add("skipped", skipped)
                .add("leaks", Json.createArrayBuilder(leaks))
                .add("reason", reason)
                .build();
    }

    public static LeakTestSummary fromJson(JsonObject json) {
        return new LeakTestSummary(
                Instant.parse(json.getString("time")),
                Verdict.valueOf(
                        json.getString("result").toUpperCase(Locale.ROOT).replace(' ', '_')),
                json.getInt("passed"),
                json.getInt("failed"),
                json.getInt("skipped"),
                json.getJsonArray("leaks").getValuesAs(JsonString.class).stream()
                        .map(JsonString::getString)
                        .toList(),
                json.getString("reason"));
    }
}
