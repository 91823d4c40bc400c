// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.DidYouMean;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Parses one of the lower-case names of an enum's constants, in any case. */
record EnumWord<E extends Enum<E>>(List<E> constants) implements Parser<E> {

    static <E extends Enum<E>> EnumWord<E> of(E[] constants) {
        return new EnumWord<>(List.of(constants));
    }

    @Override
    public E parse(String text) {
        String lowerCase = text.toLowerCase(Locale.ROOT);
        for (E constant : constants) {
            if (word(constant).equals(lowerCase)) {
                return constant;
            }
        }
        List<String> words = constants.stream().map(EnumWord::word).toList();
        Optional<String> suggestion = DidYouMean.nearest(lowerCase, words);
        throw new MalformedValue(
                "'" + text + "' is not one of " + words.stream().collect(Collectors.joining(", ")),
                suggestion.map(word -> "did you mean " + word + "?").orElse("use one of them"));
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
