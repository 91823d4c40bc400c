package io.culvert.topology;

import io.culvert.problem.DidYouMean;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The keys of one mapping. What is not known, written twice or of the wrong kind is reported; then it is as if absent. */
final class Fields {

    private final Tree at;
    private final Report report;
    private final Map<String, Tree> values = new HashMap<>();

    private Fields(Tree at, Report report) {
        this.at = at;
        this.report = report;
    }

    /**
     * @param what for people, such as {@code a peer}
     * @param known the keys it may have
     */
    static Optional<Fields> of(Tree tree, String what, List<String> known, Report report) {
        Optional<Tree.Entries> entries = mapping(tree, what, report);
        return entries.map(all -> {
            Fields fields = new Fields(all, report);
            for (Tree.Entry entry : all.all()) {
                fields.put(entry, what, known);
            }
            return fields;
        });
    }

    private static Optional<Tree.Entries> mapping(Tree tree, String what, Report report) {
        if (tree instanceof Tree.Entries entries) {
            return Optional.of(entries);
        }
        report.error(tree, what + " is a mapping, here is " + tree.kind(), "write keys and values, such as 'name: …'");
        return Optional.empty();
    }

    /** A mapping whose keys are names of the user's; duplicates are reported. */
    static List<Tree.Entry> named(Tree tree, String what, Report report) {
        Map<String, Tree.Entry> entries = new HashMap<>();
        List<Tree.Entry> all = new ArrayList<>();
        mapping(tree, what, report).stream()
                .flatMap(mapping -> mapping.all().stream())
                .forEach(entry -> {
                    Tree.Entry earlier = entries.putIfAbsent(entry.key().text(), entry);
                    if (earlier == null) {
                        all.add(entry);
                    } else {
                        twice(entry.key(), earlier.key(), report);
                    }
                });
        return all;
    }

    private static void twice(Tree.Scalar key, Tree earlier, Report report) {
        report.error(
                key,
                "'" + shown(key.text()) + "' stands in line " + earlier.line() + " already",
                "delete one of the two");
    }

    private void put(Tree.Entry entry, String what, List<String> known) {
        String key = entry.key().text();
        if (!known.contains(key)) {
            report.error(
                    entry.key(),
                    what + " has no key '" + shown(key) + "'",
                    DidYouMean.nearest(key, known)
                            .map(meant -> "did you mean " + meant + "?")
                            .orElse("use one of the keys " + String.join(", ", known)));
            return;
        }
        Tree earlier = values.putIfAbsent(key, entry.value());
        if (earlier != null) {
            twice(entry.key(), earlier, report);
        }
    }

    Tree at() {
        return at;
    }

    Report report() {
        return report;
    }

    Optional<Tree> get(String key) {
        return Optional.ofNullable(values.get(key))
                .filter(tree -> !(tree instanceof Tree.Scalar scalar && scalar.isNull()));
    }

    /** Of a list; empty where absent. */
    List<Tree> items(String key) {
        return get(key).map(tree -> {
                    if (tree instanceof Tree.Items items) {
                        return items.all();
                    }
                    report.error(tree, key + " is a list, here is " + tree.kind(), "write each item behind a dash");
                    return List.<Tree>of();
                })
                .orElse(List.of());
    }

    Optional<Written<String>> text(String key) {
        return get(key).flatMap(tree -> text(key, tree, report));
    }

    static Optional<Written<String>> text(String key, Tree tree, Report report) {
        if (!(tree instanceof Tree.Scalar scalar) || scalar.isNull()) {
            report.error(tree, key + " is a single value, here is " + tree.kind(), "write one value");
            return Optional.empty();
        }
        if (scalar.text().isBlank() || scalar.text().chars().anyMatch(Character::isISOControl)) {
            report.error(tree, key + " is empty or has control characters", "write plain text");
            return Optional.empty();
        }
        return Optional.of(scalar.written());
    }

    /** The name of a file that is looked at by nobody yet. */
    Optional<Written<String>> path(String key) {
        return text(key).filter(text -> {
            try {
                return !Path.of(text.value()).toString().isEmpty();
            } catch (InvalidPathException _) {
                report.error(text, key + " cannot be a file's name here", "write a plain path");
                return false;
            }
        });
    }

    Optional<Written<Integer>> number(String key, int least, int most) {
        return text(key).flatMap(text -> {
            String digits = text.value();
            int number = digits.matches("[0-9]{1,9}") ? Integer.parseInt(digits) : -1;
            if (number < least || number > most) {
                report.error(
                        text,
                        key + ": '" + shown(digits) + "' is not a number from " + least + " to " + most,
                        "write digits only");
                return Optional.empty();
            }
            return Optional.of(new Written<>(number, text.line(), text.column()));
        });
    }

    /** False where absent. */
    boolean flag(String key) {
        return text(key)
                .map(text -> switch (text.value().toLowerCase(Locale.ROOT)) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> {
                        report.error(
                                text,
                                key + ": '" + shown(text.value()) + "' is neither true nor false",
                                "write true or false");
                        yield false;
                    }
                })
                .orElse(false);
    }

    /** One of a few words. */
    <T extends Enum<T>> Optional<T> word(String key, T[] words) {
        return text(key).flatMap(text -> {
            List<String> known = List.of(words).stream()
                    .map(word -> word.name().toLowerCase(Locale.ROOT))
                    .toList();
            int index = known.indexOf(text.value());
            if (index < 0) {
                report.error(
                        text,
                        key + ": '" + shown(text.value()) + "' is none of " + String.join(", ", known),
                        DidYouMean.nearest(text.value(), known)
                                .map(meant -> "did you mean " + meant + "?")
                                .orElse("write one of them"));
                return Optional.empty();
            }
            return Optional.of(words[index]);
        });
    }

    /** Reports the absence of what has to be there. */
    void require(String what, String cure, String... keys) {
        List<String> missing =
                List.of(keys).stream().filter(key -> !values.containsKey(key)).toList();
        if (!missing.isEmpty()) {
            report.error(at, what + " has no " + missing.stream().collect(Collectors.joining(", no ")), cure);
        }
    }

    /** A text for people, cut where it is long, and hidden where it may be a key. */
    static String shown(String text) {
        if (text.length() >= 40 && text.matches("[A-Za-z0-9+/]{40,}=*")) {
            return "…";
        }
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }
}
