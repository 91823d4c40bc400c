// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import java.time.Instant;
import java.util.List;

/**
 * The configuration of a running exit node.
 *
 * @param files the providers' files, in failover order
 * @param loaded when it was loaded; a later reload that failed or changed nothing does not count
 * @param errors why the settings and files, as they are now, could not be loaded; empty where they could
 */
public record ConfigurationState(List<String> files, Instant loaded, List<String> errors) {

    /** Nothing is known. */
    public static final ConfigurationState NONE = new ConfigurationState(List.of(), Instant.EPOCH, List.of());

    public ConfigurationState {
        files = List.copyOf(files);
        errors = List.copyOf(errors);
    }

    JsonObject toJson() {
        return Json.createObjectBuilder()
                .add("files", Json.createArrayBuilder(files))
                .add("loaded", loaded.toString())
                .add("errors", Json.createArrayBuilder(errors))
                .build();
    }

    static ConfigurationState fromJson(JsonObject json) {
        return new ConfigurationState(
                texts(json, "files"), Instant.parse(json.getString("loaded")), texts(json, "errors"));
    }

    private static List<String> texts(JsonObject json, String name) {
        return json.getJsonArray(name).getValuesAs(JsonString.class).stream()
                .map(JsonString::getString)
                .toList();
    }
}
