// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import jakarta.json.JsonArray;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import jakarta.json.JsonStructure;
import jakarta.json.JsonValue;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;

/**
 * Converts the JSON of libnftables to one canonical form. The library has several for the same: sets in any order, one
 * element with or without its set, flags as a list or as their sum, counters with their counts.
 */
final class CanonicalForm {

    private CanonicalForm() {}

    static JsonValue of(JsonValue value) {
        return switch (value) {
            case JsonArray array when isFlat(array) -> array;
            case JsonArray array ->
                NftJson.JSON
                        .createArrayBuilder(
                                array.stream().map(CanonicalForm::of).toList())
                        .build();
            // The elements of large sets are already canonical.
            case JsonObject object
            when object.size() == 1 && object.get("concat") instanceof JsonArray parts && isFlat(parts) -> object;
            case JsonObject object
            when object.size() == 1 && object.get("set") instanceof JsonArray elements -> ofSet(elements);
            case JsonObject object
            when object.size() == 1 && object.get("&") instanceof JsonArray operands ->
                NftJson.JSON
                        .createObjectBuilder()
                        .add(
                                "&",
                                NftJson.JSON.createArrayBuilder(operands.stream()
                                        .map(CanonicalForm::sumFlags)
                                        .toList()))
                        .build();
            case JsonObject object -> ofObject(object);
            default -> value;
        };
    }

    private static boolean isFlat(JsonArray array) {
        for (JsonValue element : array) {
            if (element instanceof JsonStructure) {
                return false;
            }
        }
        return true;
    }

    /** Returns the canonical form of an attribute of a set or chain. */
    static JsonValue ofAttribute(String name, JsonValue value) {
        if (value instanceof JsonArray array && name.equals("elem")) {
            return sorted(array);
        }
        return name.equals("flags") ? unwrapSingle(of(value)) : of(value);
    }

    private static JsonValue ofObject(JsonObject object) {
        JsonObjectBuilder canonical = NftJson.JSON.createObjectBuilder();
        object.forEach((name, value) -> {
            if (name.equals("counter")) {
                canonical.addNull(name);
            } else {
                canonical.add(name, ofAttribute(name, value));
            }
        });
        return canonical.build();
    }

    private static JsonValue ofSet(JsonArray elements) {
        return elements.size() == 1
                ? of(elements.getFirst())
                : NftJson.JSON
                        .createObjectBuilder()
                        .add("set", sorted(elements))
                        .build();
    }

    private static JsonArray sorted(JsonArray elements) {
        record SortEntry(String key, JsonValue element) {}
        List<JsonValue> sorted = elements.stream()
                .map(CanonicalForm::of)
                .map(element -> new SortEntry(key(element), element))
                .sorted(Comparator.comparing(SortEntry::key))
                .map(SortEntry::element)
                .toList();
        return NftJson.JSON.createArrayBuilder(sorted).build();
    }

    /**
     * Returns a sort key that differs for different elements. Their JSON text would be longer, and there may be
     * thousands of them.
     */
    private static String key(JsonValue element) {
        StringBuilder key = new StringBuilder();
        appendKey(element, key);
        return key.toString();
    }

    private static void appendKey(JsonValue value, StringBuilder key) {
        switch (value) {
            case JsonObject object ->
                object.forEach((name, part) -> {
                    key.append(name).append(':');
                    appendKey(part, key);
                });
            case JsonArray array -> array.forEach(part -> appendKey(part, key));
            case JsonString text -> key.append(text.getString()).append(' ');
            default -> key.append(value).append(' ');
        }
    }

    private static JsonValue unwrapSingle(JsonValue value) {
        return value instanceof JsonArray array && array.size() == 1 ? array.getFirst() : value;
    }

    /**
     * Returns the sum of flags: {@code [2, 4]}, {@code {"|": [2, 4]}} and, for more than two, {@code {"|": [{"|": [2,
     * 4]}, 16]}}.
     */
    private static JsonValue sumFlags(JsonValue operand) {
        OptionalLong sum = sum(operand);
        return sum.isPresent() ? NftJson.JSON.createValue(sum.getAsLong()) : of(operand);
    }

    private static OptionalLong sum(JsonValue operand) {
        return switch (operand) {
            case JsonNumber number -> OptionalLong.of(number.longValue());
            case JsonObject object when object.size() == 1 && object.get("|") instanceof JsonArray terms -> sum(terms);
            case JsonArray terms -> {
                long sum = 0;
                for (JsonValue term : terms) {
                    OptionalLong bits = sum(term);
                    if (bits.isEmpty()) {
                        yield OptionalLong.empty();
                    }
                    sum |= bits.getAsLong();
                }
                yield OptionalLong.of(sum);
            }
            default -> OptionalLong.empty();
        };
    }
}
