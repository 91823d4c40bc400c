package io.culvert.settings;

import io.culvert.problem.DidYouMean;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Parses one of the lower-case names of an enum's constants, in any case. */
record Words<E extends Enum<E>>(List<E> constants) implements Parser<E> {

    static <E extends Enum<E>> Words<E> of(E[] constants) {
        return new Words<>(List.of(constants));
    }

    @Override
    public E parse(String text) {
        String wanted = text.toLowerCase(Locale.ROOT);
        for (E constant : constants) {
            if (word(constant).equals(wanted)) {
                return constant;
            }
        }
        List<String> words = constants.stream().map(Words::word).toList();
        Optional<String> meant = DidYouMean.nearest(wanted, words);
        throw new Malformed(
                "'" + text + "' is not one of " + words.stream().collect(Collectors.joining(", ")),
                meant.map(word -> "did you mean " + word + "?").orElse("use one of them"));
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
