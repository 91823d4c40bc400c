// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.util.List;
import java.util.Optional;

/**
 * The exit node that this node itself uses, according to its preferences (tailscale: ipn/prefs.go): stored by an
 * earlier run, from a configuration file, or set by another program over tailscaled's socket.
 *
 * @param name its name in the preferences
 * @param edit the change of the preferences that clears it
 */
record ExitNodeInUse(String name, JsonObject edit) {

    /** All preferences that select an exit node; a version of Tailscale ignores those that it does not know. */
    private static final List<String> PREFERENCES = List.of("AutoExitNode", "ExitNodeID", "ExitNodeIP");

    /** Returns the exit node in these preferences; empty if there is none. */
    static Optional<ExitNodeInUse> findIn(JsonObject preferences) {
        return PREFERENCES.stream()
                .flatMap(name -> preferences.getOrDefault(name, JsonValue.NULL) instanceof JsonString text
                        ? Optional.of(text.getString()).filter(it -> !it.isEmpty()).stream()
                        : Optional.<String>empty().stream())
                .findFirst()
                .map(name -> new ExitNodeInUse(name, clearExitNode()));
    }

    private static JsonObject clearExitNode() {
        var edit = Json.createObjectBuilder();
        PREFERENCES.forEach(name -> edit.add(name, "").add(name + "Set", true));
        return edit.build();
    }
}
