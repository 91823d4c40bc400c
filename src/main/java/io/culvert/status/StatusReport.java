// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import io.culvert.leaktest.LeakTestSummary;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The status of a running exit node, read from the kernel when it is requested. Contains no secrets.
 *
 * @param state one word
 * @param server the endpoint in use and its file, as shown
 * @param ready whether traffic gets through, even if with much loss or delay
 * @param path what is known of the data path to the server: loss and round trip; empty if nothing
 * @param handshake the latest handshake; empty before the first
 * @param receivedBytes since the tunnel's peers were configured
 * @param sentBytes since the tunnel's peers were configured
 * @param killSwitch each layer of the kill switch, and whether it was read back as planned and in effect
 * @param children each child process and its state
 * @param mesh the mesh's description
 * @param leakTest the latest leak test; empty before the first
 * @param facts what 'culvert audit' cannot know from settings and files
 * @param configuration the loaded configuration
 * @param problems current errors and warnings, as sentences
 */
public record StatusReport(
        State state,
        String server,
        String implementation,
        boolean ready,
        String path,
        Optional<Instant> handshake,
        long receivedBytes,
        long sentBytes,
        Map<String, Boolean> killSwitch,
        Map<String, String> children,
        String mesh,
        Optional<LeakTestSummary> leakTest,
        RuntimeFacts facts,
        ConfigurationState configuration,
        List<String> problems) {

    public StatusReport {
        killSwitch = Collections.unmodifiableMap(new LinkedHashMap<>(killSwitch));
        children = Collections.unmodifiableMap(new LinkedHashMap<>(children));
        problems = List.copyOf(problems);
    }

    /** The state word. */
    public enum State {
        /** No exit node is running here. */
        STOPPED,
        /** An exit node is running but does not respond to status requests. */
        UNRESPONSIVE,
        /** The kill switch is active, the tunnel is not connected yet. */
        CONNECTING,
        CONNECTED,
        /** The tunnel is disconnected, as requested by 'culvert pause'; what needs it is blocked. */
        PAUSED,
        /** The server responds, but with much loss or delay, or a part of the plan could not be applied. */
        DEGRADED,
        /** The server does not respond, and another one is being tried; all traffic is blocked until one responds. */
        FAILING_OVER,
        /** All traffic is blocked: the server does not respond, or something could leave that the settings do not allow. */
        BLOCKED,
        /** A layer of the kill switch is not as planned or not in effect. */
        EXPOSED;

        /** Lower case, as shown. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Returns whether traffic gets through. That a control server is away, for example, is no reason to be unhealthy. */
    public boolean healthy() {
        return ready;
    }

    public JsonObject toJson() {
        JsonObjectBuilder layers = Json.createObjectBuilder();
        killSwitch.forEach(layers::add);
        JsonObjectBuilder running = Json.createObjectBuilder();
        children.forEach(running::add);
        JsonArrayBuilder problemTexts = Json.createArrayBuilder(problems);
        JsonObjectBuilder json = Json.createObjectBuilder()
                .add("state", state.toString())
                .add("server", server)
                .add("implementation", implementation)
                .add("live", state != State.STOPPED && state != State.UNRESPONSIVE)
                .add("ready", ready)
                .add("degraded", state == State.DEGRADED)
                .add("path", path);
        handshake.ifPresent(time -> json.add("handshake", time.toString()));
        json.add("receivedBytes", receivedBytes)
                .add("sentBytes", sentBytes)
                .add("guard", layers)
                .add("children", running)
                .add("mesh", mesh)
                .add("facts", facts.toJson())
                .add("configuration", configuration.toJson());
        leakTest.ifPresent(result -> json.add("leakTest", result.toJson()));
        return json.add("problems", problemTexts).build();
    }

    public static StatusReport fromJson(JsonObject json) {
        Map<String, Boolean> killSwitch = new LinkedHashMap<>();
        json.getJsonObject("guard")
                .forEach((layer, inEffect) -> killSwitch.put(layer, JsonValue.TRUE.equals(inEffect)));
        Map<String, String> children = new LinkedHashMap<>();
        json.getJsonObject("children").forEach((name, state) -> children.put(name, ((JsonString) state).getString()));
        return new StatusReport(
                State.valueOf(json.getString("state").toUpperCase(Locale.ROOT).replace('-', '_')),
                json.getString("server"),
                json.getString("implementation"),
                json.getBoolean("ready", false),
                json.getString("path", ""),
                json.containsKey("handshake")
                        ? Optional.of(Instant.parse(json.getString("handshake")))
                        : Optional.empty(),
                json.getJsonNumber("receivedBytes").longValue(),
                json.getJsonNumber("sentBytes").longValue(),
                killSwitch,
                children,
                json.getString("mesh"),
                json.containsKey("leakTest")
                        ? Optional.of(LeakTestSummary.fromJson(json.getJsonObject("leakTest")))
                        : Optional.empty(),
                json.containsKey("facts") ? RuntimeFacts.fromJson(json.getJsonObject("facts")) : RuntimeFacts.NONE,
                json.containsKey("configuration")
                        ? ConfigurationState.fromJson(json.getJsonObject("configuration"))
                        : ConfigurationState.NONE,
                json.getJsonArray("problems").getValuesAs(JsonString.class).stream()
                        .map(JsonString::getString)
                        .toList());
    }

    /** Returns the report as aligned lines, the state first. */
    public String text(Instant now) {
        List<String> lines = new ArrayList<>();
        lines.add("State:       " + state);
        if (state != State.STOPPED && state != State.UNRESPONSIVE) {
            lines.add("Server:      " + server);
            lines.add("Files:       " + String.join(", ", configuration.files()));
            lines.add("Loaded:      " + ago(Duration.between(configuration.loaded(), now))
                    + (configuration.errors().isEmpty() ? "" : "; the settings and files have errors since"));
            lines.add("Tunnel:      wg0, " + implementation + ", latest handshake "
                    + handshake.map(time -> ago(Duration.between(time, now))).orElse("never"));
            if (!path.isEmpty()) {
                lines.add("Path:        " + path);
            }
            lines.add("Transfer:    " + bytes(receivedBytes) + " received, " + bytes(sentBytes) + " sent");
            if (facts.forwardedPort().enabled()) {
                lines.add("Port:        " + facts.forwardedPort());
            }
            lines.add("Mesh:        " + mesh);
            killSwitch.forEach((layer, inEffect) ->
                    lines.add("Kill switch: " + layer + " " + (inEffect ? "active" : "NOT IN EFFECT")));
            leakTest.ifPresent(result -> lines.add("Leak test:   " + result.verdict() + " "
                    + ago(Duration.between(result.time(), now)) + " (" + result.totals() + ")"));
            children.forEach((name, state) -> lines.add("Process:     " + name + " " + state));
        }
        configuration.errors().forEach(error -> lines.add("# " + error.replace("\n", "\n# ")));
        problems.forEach(sentence -> lines.add("# " + sentence));
        return String.join("\n", lines);
    }

    public static String ago(Duration age) {
        long seconds = Math.max(0, age.toSeconds());
        return seconds < 120 ? seconds + " s ago" : seconds / 60 + " min ago";
    }

    /** Formats a byte count in binary units, as {@code wg show} does. */
    public static String bytes(long count) {
        if (count < 1024) {
            return count + " B";
        }
        int unit = Math.min(4, (63 - Long.numberOfLeadingZeros(count)) / 10);
        return String.format(Locale.ROOT, "%.2f %ciB", count / Math.pow(1024, unit), "KMGT".charAt(unit - 1));
    }
}
