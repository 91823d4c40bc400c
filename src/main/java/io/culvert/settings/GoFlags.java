// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The command-line arguments of a program written in Go, separated by white space and parsed as by Go's package flag.
 * {@code -name} and {@code --name} are the same; the last of several counts.
 *
 * @param flags the flags in order, as written
 */
public record GoFlags(List<Flag> flags) {

    /** The values that Go's {@code strconv.ParseBool} accepts. */
    private static final Set<String> TRUE = Set.of("1", "t", "T", "TRUE", "true", "True");

    private static final Set<String> FALSE = Set.of("0", "f", "F", "FALSE", "false", "False");

    /**
     * @param name without hyphens; empty for an argument that is not a flag
     * @param value empty for a switch without a value
     * @param words as written
     */
    public record Flag(String name, Optional<String> value, List<String> words) {

        public Flag {
            words = List.copyOf(words);
        }
    }

    public GoFlags {
        flags = List.copyOf(flags);
    }

    /** @param switches the flags whose value follows {@code =} or is absent, and never is the next word */
    static GoFlags parse(String text, Set<String> switches) {
        List<Flag> flags = new ArrayList<>();
        List<String> words = text.isBlank() ? List.of() : List.of(text.strip().split("\\s+"));
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            String name = word.replaceFirst("^--?", "");
            int equals = name.indexOf('=');
            if (!word.startsWith("-") || name.isEmpty()) {
                flags.add(new Flag("", Optional.empty(), List.of(word)));
            } else if (equals >= 0) {
                flags.add(new Flag(name.substring(0, equals), Optional.of(name.substring(equals + 1)), List.of(word)));
            } else if (switches.contains(name) || i + 1 == words.size()) {
                flags.add(new Flag(name, Optional.empty(), List.of(word)));
            } else {
                flags.add(new Flag(name, Optional.of(words.get(i + 1)), List.of(word, words.get(i + 1))));
                i++;
            }
        }
        return new GoFlags(flags);
    }

    /** Returns the effective value of a flag; empty if it is not given. */
    public Optional<String> value(String name) {
        return flags.stream()
                .filter(flag -> flag.name().equals(name))
                .reduce((_, last) -> last)
                .map(flag -> flag.value().orElse("true"));
    }

    /** Returns the value of a switch; empty if it is not given, or not a boolean. */
    public Optional<Boolean> booleanValue(String name) {
        return value(name).flatMap(GoFlags::parseBoolean);
    }

    GoFlags without(String name) {
        return new GoFlags(
                flags.stream().filter(flag -> !flag.name().equals(name)).toList());
    }

    static Optional<Boolean> parseBoolean(String text) {
        return TRUE.contains(text) ? Optional.of(true) : FALSE.contains(text) ? Optional.of(false) : Optional.empty();
    }

    /** Returns whether Go parses the text as false. */
    public static boolean isFalse(String text) {
        return parseBoolean(text).equals(Optional.of(false));
    }

    /** Returns the arguments as written, separated by one space. */
    @Override
    public String toString() {
        return String.join(
                " ", flags.stream().flatMap(flag -> flag.words().stream()).toList());
    }
}
