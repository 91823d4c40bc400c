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
 * A table as the kernel has it, or as it should be, in a form that can be compared.
 *
 * @param parts everything but the rules, by kind and name, such as {@code chain output}
 * @param rules by chain, in order
 * @param packets what the rules with a counter counted, by comment
 */
record Listing(Map<String, JsonValue> parts, Map<String, List<Line>> rules, Map<String, Long> packets) {

    /** A rule. */
    record Line(String comment, JsonValue statements) {}

    /** What makes a set or a chain what it is; all else in a listing is the library's or the kernel's affair. */
    private static final List<String> ATTRIBUTES = List.of("type", "hook", "prio", "policy", "flags", "elem");

    /** The table as it should be. */
    static Listing of(Table table) {
        return of(NftJson.objects(table));
    }

    /**
     * Reads what {@code list table} prints as JSON.
     *
     * @throws ProblemException when it is not that
     */
    static Listing parse(String json) {
        return of(objects(json));
    }

    /**
     * The objects of any listing.
     *
     * @throws ProblemException when it is not one
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

    /** The elements of a set; none where there is no such set. */
    List<JsonValue> elements(String set) {
        return parts.get("set " + set) instanceof JsonObject object && object.get("elem") instanceof JsonArray elements
                ? List.copyOf(elements)
                : List.of();
    }

    /** Sentences on how another table differs from this one; empty when they are the same. */
    List<String> differences(Listing other) {
        List<String> differences = new ArrayList<>();
        parts.forEach((name, part) -> {
            JsonValue theirs = other.parts.get(name);
            if (theirs == null) {
                differences.add("the " + name + " is missing");
            } else if (!theirs.equals(part)) {
                differences.add("the " + name + " is not as it should be");
            }
        });
        other.parts.keySet().stream()
                .filter(name -> !parts.containsKey(name))
                .forEach(name -> differences.add("the " + name + " should not be there"));
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
                differences.add(say(chain, line) + " is not as it should be");
            }
        }
        for (Line line : found) {
            if (wanted.stream().noneMatch(other -> other.comment.equals(line.comment))) {
                differences.add(say(chain, line) + " should not be there");
            }
        }
        if (differences.size() == before) {
            differences.add("the rules of chain " + chain + " are not in order, or stand twice");
        }
    }

    private static String say(String chain, Line line) {
        return line.comment.isEmpty()
                ? "a rule without a comment in chain " + chain
                : "the rule '" + line.comment + "' of chain " + chain;
    }

    private static JsonValue attributes(JsonObject description) {
        var kept = NftJson.JSON.createObjectBuilder();
        // Elements with a timeout are gone sooner or later; a set without them is not wrong.
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
                "lists tables in a form that is not known here",
                "use the version of libnftables1 that this program was built for"));
        problem.initCause(cause);
        return problem;
    }
}
