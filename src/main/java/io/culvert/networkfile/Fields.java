// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.diagnostics.DidYouMean;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The keys of a mapping. Unknown, duplicate and invalid keys are reported and then treated as absent. */
final class Fields {

    private final Tree at;
    private final NetworkFileProblems report;
    private final Map<String, Tree> values = new HashMap<>();

    private Fields(Tree at, NetworkFileProblems report) {
        this.at = at;
        this.report = report;
    }

    /**
     * Returns the keys of a mapping; empty where it is none.
     *
     * @param objectKind the kind of object, as shown to the user, such as {@code a peer}
     * @param keys the allowed ones
     */
    static Optional<Fields> of(Tree tree, String objectKind, List<String> keys, NetworkFileProblems report) {
        Optional<Tree.Entries> entries = mapping(tree, objectKind, report);
        return entries.map(all -> {
            Fields fields = new Fields(all, report);
            for (Tree.Entry entry : all.all()) {
                fields.put(entry, objectKind, keys);
            }
            return fields;
        });
    }

    private static Optional<Tree.Entries> mapping(Tree tree, String objectKind, NetworkFileProblems report) {
        if (tree instanceof Tree.Entries entries) {
            return Optional.of(entries);
        }
        report.error(
                tree,
                objectKind + " must be a mapping, found " + tree.kind(),
                "use keys and values, such as 'name: …'");
        return Optional.empty();
    }

    /** Returns the entries of a mapping whose keys are names chosen by the user; duplicates are reported. */
    static List<Tree.Entry> namedEntries(Tree tree, String objectKind, NetworkFileProblems report) {
        Map<String, Tree.Entry> entries = new HashMap<>();
        List<Tree.Entry> all = new ArrayList<>();
        mapping(tree, objectKind, report).stream()
                .flatMap(mapping -> mapping.all().stream())
                .forEach(entry -> {
                    Tree.Entry earlier = entries.putIfAbsent(entry.key().text(), entry);
                    if (earlier == null) {
                        all.add(entry);
                    } else {
                        reportDuplicate(entry.key(), earlier.key(), report);
                    }
                });
        return all;
    }

    private static void reportDuplicate(Tree.Scalar key, Tree earlier, NetworkFileProblems report) {
        report.error(
                key, "'" + forMessage(key.text()) + "' is already set in line " + earlier.line(), "delete one of them");
    }

    private void put(Tree.Entry entry, String objectKind, List<String> keys) {
        String key = entry.key().text();
        if (!keys.contains(key)) {
            report.error(
                    entry.key(),
                    objectKind + " has no key '" + forMessage(key) + "'",
                    DidYouMean.nearest(key, keys)
                            .map(suggestion -> "did you mean " + suggestion + "?")
                            .orElse("use one of the keys " + String.join(", ", keys)));
            return;
        }
        Tree earlier = values.putIfAbsent(key, entry.value());
        if (earlier != null) {
            reportDuplicate(entry.key(), earlier, report);
        }
    }

    Tree at() {
        return at;
    }

    NetworkFileProblems report() {
        return report;
    }

    Optional<Tree> get(String key) {
        return Optional.ofNullable(values.get(key))
                .filter(tree -> !(tree instanceof Tree.Scalar scalar && scalar.isNull()));
    }

    /** Returns the items of a list; empty where absent. */
    List<Tree> items(String key) {
        return get(key).map(tree -> {
                    if (tree instanceof Tree.Items items) {
                        return items.all();
                    }
                    report.error(tree, key + " must be a list, found " + tree.kind(), "start each item with a dash");
                    return List.<Tree>of();
                })
                .orElse(List.of());
    }

    Optional<LocatedValue<String>> text(String key) {
        return get(key).flatMap(tree -> text(key, tree, report));
    }

    static Optional<LocatedValue<String>> text(String key, Tree tree, NetworkFileProblems report) {
        if (!(tree instanceof Tree.Scalar scalar) || scalar.isNull()) {
            report.error(tree, key + " must be a single value, found " + tree.kind(), "use a single value");
            return Optional.empty();
        }
        if (scalar.text().isBlank() || scalar.text().chars().anyMatch(Character::isISOControl)) {
            report.error(tree, key + " is empty or contains control characters", "use plain text");
            return Optional.empty();
        }
        return Optional.of(scalar.located());
    }

    /** Returns a file name, without access to the file. */
    Optional<LocatedValue<String>> path(String key) {
        return text(key).filter(text -> {
            try {
                return !Path.of(text.value()).toString().isEmpty();
            } catch (InvalidPathException _) {
                report.error(text, key + " is not a valid file name", "use a valid path");
                return false;
            }
        });
    }

    Optional<LocatedValue<Integer>> number(String key, int min, int max) {
        return text(key).flatMap(text -> {
            String digits = text.value();
            int number = digits.matches("[0-9]{1,9}") ? Integer.parseInt(digits) : -1;
            if (number < min || number > max) {
                report.error(
                        text,
                        key + ": '" + forMessage(digits) + "' is not a number from " + min + " to " + max,
                        "use digits only");
                return Optional.empty();
            }
            return Optional.of(new LocatedValue<>(number, text.line(), text.column()));
        });
    }

    /** Returns a boolean; false where absent. */
    boolean flag(String key) {
        return text(key)
                .map(text -> switch (text.value().toLowerCase(Locale.ROOT)) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> {
                        report.error(
                                text,
                                key + ": '" + forMessage(text.value()) + "' is neither true nor false",
                                "use true or false");
                        yield false;
                    }
                })
                .orElse(false);
    }

    /** Returns one of a few words. */
    <T extends Enum<T>> Optional<T> keyword(String key, T[] words) {
        return text(key).flatMap(text -> {
            List<String> allowedWords = List.of(words).stream()
                    .map(word -> word.name().toLowerCase(Locale.ROOT))
                    .toList();
            int index = allowedWords.indexOf(text.value());
            if (index < 0) {
                report.error(
                        text,
                        key + ": '" + forMessage(text.value()) + "' is not one of " + String.join(", ", allowedWords),
                        DidYouMean.nearest(text.value(), allowedWords)
                                .map(suggestion -> "did you mean " + suggestion + "?")
                                .orElse("use one of them"));
                return Optional.empty();
            }
            return Optional.of(words[index]);
        });
    }

    /** Reports required keys that are absent. */
    void require(String subject, String hint, String... keys) {
        List<String> missing =
                List.of(keys).stream().filter(key -> !values.containsKey(key)).toList();
        if (!missing.isEmpty()) {
            report.error(at, subject + " has no " + missing.stream().collect(Collectors.joining(", no ")), hint);
        }
    }

    /** Returns a text for an error message, truncated where it is long, and redacted where it may be a key. */
    static String forMessage(String text) {
        if (text.length() >= 40 && text.matches("[A-Za-z0-9+/]{40,}=*")) {
            return "…";
        }
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }
}
