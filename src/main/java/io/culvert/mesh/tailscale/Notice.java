package io.culvert.mesh.tailscale;

import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What tailscaled tells at one time (tailscale: ipn/backend.go, Notify); what it does not mention has not changed.
 *
 * @param state of the node
 * @param loginUrl where a person has to go
 * @param error that ends a login
 * @param warnings all that is unhealthy now, text by code
 * @param changed whether our own node, other nodes or our preferences changed
 */
record Notice(
        Optional<State> state,
        Optional<String> loginUrl,
        Optional<String> error,
        Optional<Map<String, String>> warnings,
        boolean changed) {

    /** Our own node, the others, our preferences; releases from 1.100 on tell of the others by two names of their own. */
    private static final List<String> CHANGES =
            List.of("SelfChange", "NetMap", "PeersChanged", "PeersRemoved", "Prefs");

    /** In the order of their numbers on the bus; the names are those in a status. */
    enum State {
        NO_STATE("NoState"),
        IN_USE_BY_ANOTHER("InUseOtherUser"),
        NEEDS_LOGIN("NeedsLogin"),
        NEEDS_APPROVAL("NeedsMachineAuth"),
        STOPPED("Stopped"),
        STARTING("Starting"),
        RUNNING("Running");

        private final String word;

        State(String word) {
            this.word = word;
        }

        /** A state that a later release has added is none that we act on. */
        static State of(String word) {
            return Arrays.stream(values())
                    .filter(state -> state.word.equals(word))
                    .findFirst()
                    .orElse(NO_STATE);
        }

        private static State of(int number) {
            List<State> all = List.of(values());
            return number >= 0 && number < all.size() ? all.get(number) : NO_STATE;
        }
    }

    static Notice of(JsonObject json) {
        return new Notice(
                has(json, "State") ? Optional.of(State.of(json.getInt("State"))) : Optional.empty(),
                text(json, "BrowseToURL"),
                text(json, "ErrMessage"),
                has(json, "Health") ? Optional.of(warnings(json.getJsonObject("Health"))) : Optional.empty(),
                CHANGES.stream().anyMatch(name -> has(json, name)));
    }

    private static Map<String, String> warnings(JsonObject health) {
        Map<String, String> all = new TreeMap<>();
        if (has(health, "Warnings")) {
            health.getJsonObject("Warnings")
                    .forEach((code, warning) ->
                            all.put(code, warning.asJsonObject().getString("Text", "")));
        }
        return all;
    }

    private static Optional<String> text(JsonObject json, String name) {
        return has(json, name) ? Optional.of(json.getString(name)).filter(text -> !text.isEmpty()) : Optional.empty();
    }

    private static boolean has(JsonObject json, String name) {
        return !json.getOrDefault(name, JsonValue.NULL).equals(JsonValue.NULL);
    }
}
