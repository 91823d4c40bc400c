// SPDX-License-Identifier: Apache-2.0
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
 * Finds rules of other programs whose effect no verdict of Culvert's rules can undo. A verdict ends the evaluation of
 * its own table only, but packets that are copied, forwarded from an interface's own hook, or no longer tracked never
 * reach Culvert's rules, or not as what they are.
 */
final class ForeignTables {

    /** Statements by their names in JSON (libnftables-json(5)), with their effect beyond their own table. */
    private static final Map<String, String> STATEMENTS = new LinkedHashMap<>(Map.of(
            "dup", "duplicates packets (dup)",
            "fwd", "forwards packets to another interface (fwd)",
            "flow", "forwards packets without evaluating rules (flow table)",
            "notrack", "disables connection tracking (notrack)"));

    /** The same by the names of iptables targets. */
    private static final Map<String, String> TARGETS =
            Map.of("TEE", "duplicates packets (TEE)", "NOTRACK", "disables connection tracking (NOTRACK)");

    private final LongPredicate acceptedMarks;

    /** @param acceptedMarks firewall marks that the kill switch accepts; other programs must not set them */
    ForeignTables(LongPredicate acceptedMarks) {
        this.acceptedMarks = acceptedMarks;
    }

    /** Returns a description of each kind of such a rule, without a full stop. */
    List<String> find(String table, String listing) {
        List<String> effects = new ArrayList<>();
        for (JsonObject object : TableListing.objects(listing)) {
            if (object.get("rule") instanceof JsonObject rule && rule.get("expr") instanceof Iterable<?> statements) {
                for (Object statement : statements) {
                    if (statement instanceof JsonObject it) {
                        effect(it)
                                .map(effect -> "foreign table '" + table + "' " + effect)
                                .filter(description -> !effects.contains(description))
                                .ifPresent(effects::add);
                    }
                }
            }
        }
        return effects;
    }

    private Optional<String> effect(JsonObject statement) {
        for (Map.Entry<String, String> entry : STATEMENTS.entrySet()) {
            if (statement.containsKey(entry.getKey())) {
                return Optional.of(entry.getValue());
            }
        }
        if (statement.get("xt") instanceof JsonObject target && target.get("name") instanceof JsonString name) {
            return Optional.ofNullable(TARGETS.get(name.getString()));
        }
        return statement.get("mangle") instanceof JsonObject mangle && setsMark(mangle)
                ? Optional.of("sets a firewall mark that the kill switch accepts")
                : Optional.empty();
    }

    /**
     * Returns whether the statement sets such a mark on the packet, or on the connection, from which packets take it.
     */
    private boolean setsMark(JsonObject mangle) {
        return mangle.get("key") instanceof JsonObject key
                && Stream.of("meta", "ct")
                        .anyMatch(kind -> key.get(kind) instanceof JsonObject source
                                && source.getOrDefault("key", JsonValue.NULL) instanceof JsonString name
                                && name.getString().equals("mark"))
                && contains(mangle.getOrDefault("value", JsonValue.NULL));
    }

    /** Returns whether the value is such a mark, or contains one as an operand or in a map. */
    private boolean contains(JsonValue value) {
        return switch (value) {
            case JsonNumber number -> acceptedMarks.test(number.longValue());
            case JsonArray array -> array.stream().anyMatch(this::contains);
            case JsonObject object -> object.values().stream().anyMatch(this::contains);
            default -> false;
        };
    }
}
