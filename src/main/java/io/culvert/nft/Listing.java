package io.culvert.nft;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
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
 * @param parts everything except the rules, by kind and name, such as {@code chain output}
 * @param rules by chain, in order
 * @param packets the packet counts of rules with a counter, by comment
 */
record Listing(Map<String, JsonValue> parts, Map<String, List<Line>> rules, Map<String, Long> packets) {

    /** A rule. */
    record Line(String comment, JsonValue statements) {}

    /** The attributes that define a set or a chain; the others in a listing depend on the library or the kernel. */
    private static final List<String> ATTRIBUTES = List.of("type", "hook", "prio", "policy", "flags", "elem");

    /** Returns the listing of a desired table. */
    static Listing of(Table table) {
        return of(NftJson.objects(table));
    }

    /**
     * Parses the JSON output of {@code list table}.
     *
     * @throws ProblemException if it is something else
     */
    static Listing parse(String json) {
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

    private static Listing of(List<JsonObject> objects) {
        Map<String, JsonValue> parts = new TreeMap<>();
        Map<String, List<Line>> rules = new TreeMap<>();
        Map<String, Long> packets = new LinkedHashMap<>();
        try {
            for (JsonObject object : objects) {
                for (Map.Entry<String, JsonValue> entry : object.entrySet()) {
                    JsonObject description = entry.getValue().asJsonObject();
                    if (entry.getKey().equals("rule")) {
                        String comment = description.getString("comment", "");
                        JsonArray statements = description.getJsonArray("expr");
                        rules.computeIfAbsent(description.getString("chain"), _ -> new ArrayList<>())
                                .add(new Line(comment, Canonical.of(statements)));
                        count(statements).ifPresent(count -> packets.put(comment, count));
                    } else {
                        parts.put(entry.getKey() + " " + description.getString("name"), attributes(description));
                    }
                }
            }
        } catch (ClassCastException | NullPointerException e) {
            throw unreadable(e);
        }
        return new Listing(parts, rules, packets);
    }

    /** Returns the elements of a set; none if there is no such set. */
    List<JsonValue> elements(String set) {
        return parts.get("set " + set) instanceof JsonObject object && object.get("elem") instanceof JsonArray elements
                ? List.copyOf(elements)
                : List.of();
    }

    /** Describes how another table differs from this one; empty if they are the same. */
    List<String> differences(Listing other) {
        List<String> differences = new ArrayList<>();
        parts.forEach((name, part) -> {
            JsonValue theirs = other.parts.get(name);
            if (theirs == null) {
                differences.add("the " + name + " is missing");
            } else if (!theirs.equals(part)) {
                differences.add("the " + name + " differs");
            }
        });
        other.parts.keySet().stream()
                .filter(name -> !parts.containsKey(name))
                .forEach(name -> differences.add("the " + name + " is unexpected"));
        rules.forEach((chain, lines) -> compare(chain, lines, other.rules.getOrDefault(chain, List.of()), differences));
        other.rules.forEach((chain, lines) -> {
            if (!rules.containsKey(chain)) {
                compare(chain, List.of(), lines, differences);
            }
        });
        return differences;
    }

    private static void compare(String chain, List<Line> wanted, List<Line> found, List<String> differences) {
        if (wanted.equals(found)) {
            return;
        }
        int before = differences.size();
        for (Line line : wanted) {
            if (found.stream().noneMatch(other -> other.comment.equals(line.comment))) {
                differences.add(say(chain, line) + " is missing");
            } else if (!found.contains(line)) {
                differences.add(say(chain, line) + " differs");
            }
        }
        for (Line line : found) {
            if (wanted.stream().noneMatch(other -> other.comment.equals(line.comment))) {
                differences.add(say(chain, line) + " is unexpected");
            }
        }
        if (differences.size() == before) {
            differences.add("the rules of chain " + chain + " are out of order or duplicated");
        }
    }

    private static String say(String chain, Line line) {
        return line.comment.isEmpty()
                ? "a rule without a comment in chain " + chain
                : "the rule '" + line.comment + "' of chain " + chain;
    }

    private static JsonValue attributes(JsonObject description) {
        var kept = NftJson.JSON.createObjectBuilder();
        // Elements with a timeout expire, so a set without them is equal.
        boolean passing = String.valueOf(description.get("flags")).contains("timeout");
        for (String attribute : ATTRIBUTES) {
            JsonValue value = description.get(attribute);
            if (value != null && !(passing && attribute.equals("elem"))) {
                kept.add(attribute, Canonical.attribute(attribute, value));
            }
        }
        return kept.build();
    }

    private static Optional<Long> count(JsonArray statements) {
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
                Place.machine("libnftables"),
                "unsupported format of the output",
                "install the version of libnftables1 for which this program was built"));
        problem.initCause(cause);
        return problem;
    }
}
