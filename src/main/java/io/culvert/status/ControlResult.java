// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import java.util.List;
import java.util.Locale;

/**
 * The result of a request to a running exit node.
 *
 * @param exitStatus of the command: 0 done, else as for any command that fails with these problems
 * @param message one sentence about what was done
 * @param problems errors because of which nothing was done, or warnings and notes
 */
public record ControlResult(int exitStatus, String message, List<Problem> problems) {

    public ControlResult {
        problems = List.copyOf(problems);
    }

    public static ControlResult done(String message) {
        return new ControlResult(0, message, List.of());
    }

    public JsonObject toJson() {
        JsonArrayBuilder list = Json.createArrayBuilder();
        problems.forEach(problem -> list.add(Json.createObjectBuilder()
                .add("kind", problem.kind().name().toLowerCase(Locale.ROOT))
                .add("location", problem.location().toString())
                .add("message", problem.message())
                .add("hint", problem.hint())));
        return Json.createObjectBuilder()
                .add("exitStatus", exitStatus)
                .add("message", message)
                .add("problems", list)
                .build();
    }

    /** Parses a result; of the problems' locations only the text is known. */
    public static ControlResult fromJson(JsonObject json) {
        return new ControlResult(
                json.getInt("exitStatus"),
                json.getString("message"),
                json.getJsonArray("problems").getValuesAs(JsonObject.class).stream()
                        .map(problem -> new Problem(
                                Problem.Kind.valueOf(problem.getString("kind").toUpperCase(Locale.ROOT)),
                                Location.machine(problem.getString("location")),
                                problem.getString("message"),
                                problem.getString("hint")))
                        .toList());
    }
}
