// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * A request to a running exit node.
 *
 * @param server the name of a server's file, for {@link Kind#USE} only
 */
public record ControlRequest(Kind kind, String server) {

    /** What is requested. */
    public enum Kind {
        /** Read settings and files again. */
        RELOAD,
        /** Use the next server. */
        NEXT,
        /** Use a server by name. */
        USE,
        /** Disconnect from the server. */
        PAUSE,
        /** Connect again. */
        RESUME;

        /** Returns the word by which it is transmitted. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Returns a request without an argument. */
    public static ControlRequest of(Kind kind) {
        return new ControlRequest(kind, "");
    }

    public JsonObject toJson() {
        return Json.createObjectBuilder()
                .add("request", kind.toString())
                .add("server", server)
                .build();
    }

    /** Parses a request; empty for one that this version does not know. */
    public static Optional<ControlRequest> fromJson(JsonObject json) {
        String word = json.getString("request", "");
        return Arrays.stream(Kind.values())
                .filter(kind -> kind.toString().equals(word))
                .findFirst()
                .map(kind -> new ControlRequest(kind, json.getString("server", "")));
    }
}
