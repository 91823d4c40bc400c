package io.culvert.mesh.tailscale;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.util.List;
import java.util.Optional;

/**
 * The exit node by which this node itself would leave, as its preferences have it (tailscale: ipn/prefs.go): stored by an
 * earlier run, from a configuration file, or set by another program at tailscaled's socket.
 *
 * @param name of it, as the preferences have it
 * @param edit which makes it none
 */
record ExitNodeInUse(String name, JsonObject edit) {

    /** All that can choose one; a release that does not know one of them passes it over. */
    private static final List<String> PREFERENCES = List.of("AutoExitNode", "ExitNodeID", "ExitNodeIP");

    /** Empty where it uses none. */
    static Optional<ExitNodeInUse> in(JsonObject preferences) {
        return PREFERENCES.stream()
                .flatMap(name -> preferences.getOrDefault(name, JsonValue.NULL) instanceof JsonString text
                        ? Optional.of(text.getString()).filter(it -> !it.isEmpty()).stream()
                        : Optional.<String>empty().stream())
                .findFirst()
                .map(name -> new ExitNodeInUse(name, none()));
    }

    private static JsonObject none() {
        var edit = Json.createObjectBuilder();
        PREFERENCES.forEach(name -> edit.add(name, "").add(name + "Set", true));
        return edit.build();
    }
}
