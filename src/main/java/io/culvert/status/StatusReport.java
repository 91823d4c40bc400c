package io.culvert.status;

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
 * What a running chain says of itself, read from the kernel at the moment of asking. Holds no secrets.
 *
 * @param state one word
 * @param server the file in use and its endpoint, as shown
 * @param handshake the last one; empty before the first
 * @param receivedBytes since the tunnel's peers were set
 * @param sentBytes since the tunnel's peers were set
 * @param guard each layer of the guard and whether reading it back found it as planned
 * @param children each child and what it does
 * @param mesh what the mesh side is
 * @param problems what is wrong or worth knowing, as sentences
 */
public record StatusReport(
        State state,
        String server,
        String implementation,
        Optional<Instant> handshake,
        long receivedBytes,
        long sentBytes,
        Map<String, Boolean> guard,
        Map<String, String> children,
        String mesh,
        List<String> problems) {

    public StatusReport {
        guard = Collections.unmodifiableMap(new LinkedHashMap<>(guard));
        children = Collections.unmodifiableMap(new LinkedHashMap<>(children));
        problems = List.copyOf(problems);
    }

    /** The state word. */
    public enum State {
        /** Nothing runs here. */
        STOPPED,
        /** Something runs here that does not answer for itself. */
        UNRESPONSIVE,
        /** The guard stands, the tunnel does not yet. */
        CONNECTING,
        CONNECTED,
        /** The server answers, but something that was planned could not be done. */
        DEGRADED,
        /** The server does not answer; nothing leaves. */
        BLOCKED,
        /** A layer of the guard is not as planned. */
        EXPOSED;

        /** Lower case, as shown. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public boolean healthy() {
        return state == State.CONNECTED;
    }

    public JsonObject toJson() {
        JsonObjectBuilder layers = Json.createObjectBuilder();
        guard.forEach(layers::add);
        JsonObjectBuilder running = Json.createObjectBuilder();
        children.forEach(running::add);
        JsonArrayBuilder sentences = Json.createArrayBuilder(problems);
        JsonObjectBuilder json = Json.createObjectBuilder()
                .add("state", state.toString())
                .add("server", server)
                .add("implementation", implementation);
        handshake.ifPresent(time -> json.add("handshake", time.toString()));
        return json.add("receivedBytes", receivedBytes)
                .add("sentBytes", sentBytes)
                .add("guard", layers)
                .add("children", running)
                .add("mesh", mesh)
                .add("problems", sentences)
                .build();
    }

    public static StatusReport fromJson(JsonObject json) {
        Map<String, Boolean> guard = new LinkedHashMap<>();
        json.getJsonObject("guard").forEach((layer, held) -> guard.put(layer, JsonValue.TRUE.equals(held)));
        Map<String, String> children = new LinkedHashMap<>();
        json.getJsonObject("children").forEach((name, doing) -> children.put(name, ((JsonString) doing).getString()));
        return new StatusReport(
                State.valueOf(json.getString("state").toUpperCase(Locale.ROOT)),
                json.getString("server"),
                json.getString("implementation"),
                json.containsKey("handshake")
                        ? Optional.of(Instant.parse(json.getString("handshake")))
                        : Optional.empty(),
                json.getJsonNumber("receivedBytes").longValue(),
                json.getJsonNumber("sentBytes").longValue(),
                guard,
                children,
                json.getString("mesh"),
                json.getJsonArray("problems").getValuesAs(JsonString.class).stream()
                        .map(JsonString::getString)
                        .toList());
    }

    /** The report in aligned lines, the state word first. */
    public String text(Instant now) {
        List<String> lines = new ArrayList<>();
        lines.add("State:      " + state);
        if (state != State.STOPPED && state != State.UNRESPONSIVE) {
            lines.add("Server:     " + server);
            lines.add("Tunnel:     wg0, " + implementation + ", handshake "
                    + handshake.map(time -> ago(Duration.between(time, now))).orElse("never"));
            lines.add("Traffic:    " + bytes(receivedBytes) + " received, " + bytes(sentBytes) + " sent");
            lines.add("Mesh:       " + mesh);
            guard.forEach((layer, held) -> lines.add("Guard:      " + layer + " " + (held ? "holds" : "IS OPEN")));
            children.forEach((name, doing) -> lines.add("Child:      " + name + " " + doing));
        }
        problems.forEach(sentence -> lines.add("# " + sentence));
        return String.join("\n", lines);
    }

    static String ago(Duration age) {
        long seconds = Math.max(0, age.toSeconds());
        return seconds < 120 ? seconds + " s ago" : seconds / 60 + " min ago";
    }

    /** In binary units, as {@code wg show} does. */
    public static String bytes(long count) {
        if (count < 1024) {
            return count + " B";
        }
        int unit = Math.min(4, (63 - Long.numberOfLeadingZeros(count)) / 10);
        return String.format(Locale.ROOT, "%.2f %ciB", count / Math.pow(1024, unit), "KMGT".charAt(unit - 1));
    }
}
