// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.settings.GoFlags;
import jakarta.json.Json;
import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The differences between a node's saved state and its arguments. With TS_AUTH_ONCE, containerboot ignores
 * TS_EXTRA_ARGS once the node is logged in.
 *
 * @param edit the change of the preferences that applies the arguments for which no login is needed; empty if nothing
 *     differs
 * @param edited the flags that the change applies
 * @param needingLogin the flags that need another login
 */
record SavedStateDifference(Optional<JsonObject> edit, List<String> edited, List<String> needingLogin) {

    private record Switch(String name, boolean inverted) {}

    /** The preference of each flag (tailscale: cmd/tailscale/cli/up.go, prefsFromUpArgs). */
    private static final Map<String, Switch> SWITCHES = Map.of(
            "shields-up", new Switch("ShieldsUp", false),
            "accept-routes", new Switch("RouteAll", false),
            "snat-subnet-routes", new Switch("NoSNAT", true),
            "stateful-filtering", new Switch("NoStatefulFiltering", true),
            "report-posture", new Switch("PostureChecking", false),
            "ssh", new Switch("RunSSH", false));

    SavedStateDifference {
        edited = List.copyOf(edited);
        needingLogin = List.copyOf(needingLogin);
    }

    static SavedStateDifference compare(JsonObject preferences, GoFlags arguments) {
        JsonObjectBuilder edit = Json.createObjectBuilder();
        List<String> edited = new ArrayList<>();
        SWITCHES.forEach((flag, preference) -> arguments.booleanValue(flag).ifPresent(value -> {
            boolean current = preferences.getBoolean(preference.name(), false) != preference.inverted();
            if (current != value) {
                edit.add(preference.name(), value != preference.inverted()).add(preference.name() + "Set", true);
                edited.add("--" + flag + "=" + value);
            }
        }));
        List<String> needingLogin = new ArrayList<>();
        arguments
                .value("login-server")
                .filter(server -> !server.equals(preferences.getString("ControlURL", "")))
                .ifPresent(_ -> needingLogin.add("--login-server"));
        arguments
                .value("advertise-tags")
                .filter(tags -> !Set.copyOf(List.of(tags.split(","))).equals(tags(preferences)))
                .ifPresent(_ -> needingLogin.add("--advertise-tags"));
        return new SavedStateDifference(
                edited.isEmpty() ? Optional.empty() : Optional.of(edit.build()),
                edited.stream().sorted().toList(),
                needingLogin);
    }

    private static Set<String> tags(JsonObject preferences) {
        return preferences.getOrDefault("AdvertiseTags", JsonValue.NULL) instanceof JsonArray tags
                ? Set.copyOf(tags.getValuesAs(JsonString::getString))
                : Set.of();
    }
}
