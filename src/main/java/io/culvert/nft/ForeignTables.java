package io.culvert.nft;

import jakarta.json.JsonArray;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongPredicate;
import java.util.stream.Stream;

/**
 * What rules of other programs do that no verdict of ours can undo: a verdict ends in its own table, but packets that are
 * copied, sent on from a link's own hook, or no longer tracked never come to ours, or not as what they are.
 */
final class ForeignTables {

    /** Statements by their names in JSON (libnftables-json(5)), and why each is no affair of its own table only. */
    private static final Map<String, String> STATEMENTS = new LinkedHashMap<>(Map.of(
            "dup", "sends copies of packets",
            "fwd", "sends packets on by another link",
            "flow", "lets forwarded packets go past all rules",
            "notrack", "hides connections from connection tracking"));

    /** The same as iptables calls them. */
    private static final Map<String, String> TARGETS =
            Map.of("TEE", "sends copies of packets", "NOTRACK", "hides connections from connection tracking");

    private final LongPredicate marks;

    /** @param marks of packets that may leave; others are not to set them */
    ForeignTables(LongPredicate marks) {
        this.marks = marks;
    }

    /** A sentence for each kind, without a full stop. */
    List<String> find(String table, String listing) {
        List<String> found = new ArrayList<>();
        for (JsonObject object : Listing.objects(listing)) {
            if (object.get("rule") instanceof JsonObject rule && rule.get("expr") instanceof Iterable<?> statements) {
                for (Object statement : statements) {
                    if (statement instanceof JsonObject it) {
                        what(it).map(does -> "foreign table '" + table + "' " + does)
                                .filter(sentence -> !found.contains(sentence))
                                .ifPresent(found::add);
                    }
                }
            }
        }
        return found;
    }

    private Optional<String> what(JsonObject statement) {
        for (Map.Entry<String, String> known : STATEMENTS.entrySet()) {
            if (statement.containsKey(known.getKey())) {
                return Optional.of(known.getValue());
            }
        }
        if (statement.get("xt") instanceof JsonObject target && target.get("name") instanceof JsonString name) {
            return Optional.ofNullable(TARGETS.get(name.getString()));
        }
        return statement.get("mangle") instanceof JsonObject mangle && setsMark(mangle)
                ? Optional.of("sets a mark of packets that may leave")
                : Optional.empty();
    }

    /** Of the packet, or of the connection that packets take it from. */
    private boolean setsMark(JsonObject mangle) {
        return mangle.get("key") instanceof JsonObject key
                && Stream.of("meta", "ct")
                        .anyMatch(kind -> key.get(kind) instanceof JsonObject of
                                && of.getOrDefault("key", JsonValue.NULL) instanceof JsonString name
                                && name.getString().equals("mark"))
                && contains(mangle.getOrDefault("value", JsonValue.NULL));
    }

    /** A number itself, or one that is an operand or in a map. */
    private boolean contains(JsonValue value) {
        return switch (value) {
            case JsonNumber number -> marks.test(number.longValue());
            case JsonArray array -> array.stream().anyMatch(this::contains);
            case JsonObject object -> object.values().stream().anyMatch(this::contains);
            default -> false;
        };
    }
}
