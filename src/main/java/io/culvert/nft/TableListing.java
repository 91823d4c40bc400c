// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import jakarta.json.JsonArray;
import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A table as listed by the kernel, or as desired, in a form that can be compared.
 *
 * @param objects everything except the rules, by kind and name, such as {@code chain output}
 * @param rules by chain, in order
 * @param packets the packet counts of rules with a counter, by comment
 */
record TableListing(Map<String, JsonValue> objects, Map<String, List<Rule>> rules, Map<String, Long> packets) {

    /** A rule. */
    record Rule(String comment, JsonValue statements) {}

    /** The attributes that define a set or a chain; the others in a listing depend on the library or the kernel. */
    private static final List<String> ATTRIBUTES = List.of("type", "hook", "prio", "policy", "flags", "elem");

    /** Returns the listing of a desired table. */
    static TableListing of(Table table) {
        return of(NftJson.objects(table));
    }

    /**
     * Parses the JSON output of {@code list table}.
     *
     * @throws ProblemException if it is something else
     */
    static TableListing parse(String json) {
        return of(objects(json));
    }

    /**
     * Returns the objects of any listing.
     *
     * @throws ProblemException if it is not a listing
     */
    static List<JsonObject> objects(String json) {
        try (var reader = NftJson.JSON.createReader(new StringReader(json))) {
            return reader.readObject().getJsonArray("nftables").getValuesAs(JsonObject.class).stream()
                    .filter(object -> !object.containsKey("metainfo"))
                    .toList();
        } catch (JsonException | ClassCastException | NullPointerException | IllegalStateException e) {
            throw unreadable(e);
        }
    }

    private static TableListing of(List<JsonObject> listed) {
        Map<String, JsonValue> objects = new TreeMap<>();
        Map<String, List<Rule>> rules = new TreeMap<>();
        Map<String, Long> packets = new LinkedHashMap<>();
        try {
            for (JsonObject object : listed) {
                for (Map.Entry<String, JsonValue> entry : object.entrySet()) {
                    JsonObject description = entry.getValue().asJsonObject();
                    if (entry.getKey().equals("rule")) {
                        String comment = description.getString("comment", "");
                        JsonArray statements = description.getJsonArray("expr");
                        rules.computeIfAbsent(description.getString("chain"), _ -> new ArrayList<>())
                                .add(new Rule(comment, CanonicalForm.of(statements)));
                        packetCount(statements).ifPresent(count -> packets.put(comment, count));
                    } else {
                        objects.put(entry.getKey() + " " + description.getString("name"), attributes(description));
                    }
                }
            }
        } catch (ClassCastException | NullPointerException e) {
            throw unreadable(e);
        }
        return new TableListing(objects, rules, packets);
    }

    /** Returns the elements of a set; none if there is no such set. */
    List<JsonValue> elements(String set) {
        return objects.get("set " + set) instanceof JsonObject object
                        && object.get("elem") instanceof JsonArray elements
                ? List.copyOf(elements)
                : List.of();
    }

    /** Describes how another table differs from this one; empty if they are the same. */
    List<String> differences(TableListing other) {
        List<String> differences = new ArrayList<>();
        objects.forEach((name, part) -> {
            JsonValue otherObject = other.objects.get(name);
            if (otherObject == null) {
                differences.add("the " + name + " is missing");
            } else if (!otherObject.equals(part)) {
                differences.add("the " + name + " differs");
            }
        });
        other.objects.keySet().stream()
                .filter(name -> !objects.containsKey(name))
                .forEach(name -> differences.add("the " + name + " is unexpected"));
        rules.forEach((chain, lines) -> compare(chain, lines, other.rules.getOrDefault(chain, List.of()), differences));
        other.rules.forEach((chain, lines) -> {
            if (!rules.containsKey(chain)) {
                compare(chain, List.of(), lines, differences);
            }
        });
        return differences;
    }

    private static void compare(
            String chain, List<Rule> expectedRules, List<Rule> actualRules, List<String> differences) {
        if (expectedRules.equals(actualRules)) {
            return;
        }
        int before = differences.size();
        for (Rule line : expectedRules) {
            if (actualRules.stream().noneMatch(other -> other.comment.equals(line.comment))) {
                differences.add(describe(chain, line) + " is missing");
            } else if (!actualRules.contains(line)) {
                differences.add(describe(chain, line) + " differs");
            }
        }
        for (Rule line : actualRules) {
            if (expectedRules.stream().noneMatch(other -> other.comment.equals(line.comment))) {
                differences.add(describe(chain, line) + " is unexpected");
            }
        }
        if (differences.size() == before) {
            differences.add("the rules of chain " + chain + " are out of order or duplicated");
        }
    }

    private static String describe(String chain, Rule line) {
        return line.comment.isEmpty()
                ? "a rule without a comment in chain " + chain
                : "the rule '" + line.comment + "' of chain " + chain;
    }

    private static JsonValue attributes(JsonObject description) {
        var canonical = NftJson.JSON.createObjectBuilder();
        // Elements with a timeout expire, so a set without them is equal.
        boolean expiring = String.valueOf(description.get("flags")).contains("timeout");
        for (String attribute : ATTRIBUTES) {
            JsonValue value = description.get(attribute);
            if (value != null && !(expiring && attribute.equals("elem"))) {
                canonical.add(attribute, CanonicalForm.ofAttribute(attribute, value));
            }
        }
        return canonical.build();
    }

    private static Optional<Long> packetCount(JsonArray statements) {
        return statements.stream()
                .map(JsonValue::asJsonObject)
                .map(statement -> statement.get("counter"))
                .filter(Objects::nonNull)
                .filter(counter -> counter.getValueType() == JsonValue.ValueType.OBJECT)
                .map(counter -> counter.asJsonObject().getJsonNumber("packets").longValue())
                .findFirst();
    }

    private static ProblemException unreadable(RuntimeException cause) {
        ProblemException problem = new ProblemException(Problem.failure(
                Location.machine("libnftables"),
                "unsupported format of the output",
                "install the version of libnftables1 for which this program was built"));
        problem.initCause(cause);
        return problem;
    }
}
