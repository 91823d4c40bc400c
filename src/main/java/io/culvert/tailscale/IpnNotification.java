// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A notification from tailscaled's bus (tailscale: ipn/backend.go, Notify); what it does not mention has not changed.
 *
 * @param state the state of the node
 * @param loginUrl the URL at which a user has to log the node in
 * @param error the error that made a login fail
 * @param warnings all current health warnings, text by code
 * @param changed whether this node, other nodes or the preferences changed
 */
record IpnNotification(
        Optional<State> state,
        Optional<String> loginUrl,
        Optional<String> error,
        Optional<Map<String, String>> warnings,
        boolean changed) {

    /**
     * This node, the other nodes, the preferences; from version 1.100 on, changes of other nodes have two fields of
     * their own.
     */
    private static final List<String> CHANGES =
            List.of("SelfChange", "NetMap", "PeersChanged", "PeersRemoved", "Prefs");

    /** The node's states, in the order of their numbers on the bus, with their names in a status. */
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

        /** Returns a state by its name; states added by later versions are treated as {@code NO_STATE}. */
        static State of(String word) {
            return Arrays.stream(values())
                    .filter(state -> state.word.equals(word))
                    .findFirst()
                    .orElse(NO_STATE);
        }

        private static State of(int number) {
            List<State> states = List.of(values());
            return number >= 0 && number < states.size() ? states.get(number) : NO_STATE;
        }
    }

    static IpnNotification of(JsonObject json) {
        return new IpnNotification(
                has(json, "State") ? Optional.of(State.of(json.getInt("State"))) : Optional.empty(),
                text(json, "BrowseToURL"),
                text(json, "ErrMessage"),
                has(json, "Health") ? Optional.of(warnings(json.getJsonObject("Health"))) : Optional.empty(),
                CHANGES.stream().anyMatch(name -> has(json, name)));
    }

    private static Map<String, String> warnings(JsonObject health) {
        Map<String, String> texts = new TreeMap<>();
        if (has(health, "Warnings")) {
            health.getJsonObject("Warnings")
                    .forEach((code, warning) ->
                            texts.put(code, warning.asJsonObject().getString("Text", "")));
        }
        return texts;
    }

    private static Optional<String> text(JsonObject json, String name) {
        return has(json, name) ? Optional.of(json.getString(name)).filter(text -> !text.isEmpty()) : Optional.empty();
    }

    private static boolean has(JsonObject json, String name) {
        return !json.getOrDefault(name, JsonValue.NULL).equals(JsonValue.NULL);
    }
}
