package io.culvert.settings;

/** Parses the text of one setting, which is never empty. */
@FunctionalInterface
interface Parser<T> {

    /** @throws Malformed with every fault of the text */
    T parse(String text);

    /** Makes a parser of a method reference, so that {@link #screened} can be called on it. */
    static <T> Parser<T> of(Parser<T> parser) {
        return parser;
    }

    /**
     * Returns this parser behind {@link Screen#quotable}, so that it may quote its text in messages: it never gets a
     * text that may be a secret.
     */
    default Parser<T> screened() {
        return text -> parse(Screen.quotable(text));
    }
}
