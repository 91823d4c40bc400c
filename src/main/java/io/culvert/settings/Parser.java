package io.culvert.settings;

/** Reads the text of one setting, which is never empty. */
@FunctionalInterface
interface Parser<T> {

    /** @throws Malformed with every fault of the text */
    T parse(String text);

    /** Lets a method reference be {@link #screened}. */
    static <T> Parser<T> of(Parser<T> parser) {
        return parser;
    }

    /** The same parser, which may quote its text: it never sees one that should not be repeated. */
    default Parser<T> screened() {
        return text -> parse(Screen.quotable(text));
    }
}
