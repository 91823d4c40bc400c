// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A table as listed by libnftables, or as desired, in a form that can be compared.
 *
 * @param objects everything except the rules, by kind and name, such as {@code chain output}
 * @param rules by chain, in order
 */
record TableListing(Map<String, JsonValue> objects, Map<String, List<Rule>> rules) {

    /** A rule. */
    record Rule(String comment, JsonValue statements) {}

    /** The attributes that define a set or a chain; the others in a listing depend on the library or the kernel. */
    private static final List<String> ATTRIBUTES = List.of("type", "hook", "prio", "policy", "flags", "elem");

    /** Returns the listing of a desired table. */
    static TableListing of(Table table) {
        return of(NftJson.objects(table));
    }

    /** Parses the JSON output of {@code list table}. */
    static TableListing parse(String json) {
        try (var reader = NftJson.JSON.createReader(new StringReader(json))) {
            return of(reader.readObject().getJsonArray("nftables").getValuesAs(JsonObject.class).stream()
                    .filter(object -> !object.containsKey("metainfo"))
                    .toList());
        }
    }

    private static TableListing of(List<JsonObject> listed) {
        Map<String, JsonValue> objects = new TreeMap<>();
        Map<String, List<Rule>> rules = new TreeMap<>();
        for (JsonObject object : listed) {
            object.forEach((kind, value) -> {
                JsonObject description = value.asJsonObject();
                if (kind.equals("rule")) {
                    rules.computeIfAbsent(description.getString("chain"), _ -> new ArrayList<>())
                            .add(new Rule(
                                    description.getString("comment", ""),
                                    CanonicalForm.of(description.getJsonArray("expr"))));
                } else {
                    objects.put(kind + " " + description.getString("name"), attributes(description));
                }
            });
        }
        return new TableListing(objects, rules);
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
}
