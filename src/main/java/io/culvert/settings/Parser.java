// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

/** Parses the text of one setting, which is never empty. */
@FunctionalInterface
interface Parser<T> {

    /** @throws MalformedValue with every fault of the text */
    T parse(String text);

    /** Makes a parser of a method reference, so that {@link #redacted} can be called on it. */
    static <T> Parser<T> of(Parser<T> parser) {
        return parser;
    }

    /**
     * Returns this parser behind {@link Redaction#requireQuotable}, so that it may quote its text in messages: it never gets a
     * text that may be a secret.
     */
    default Parser<T> redacted() {
        return text -> parse(Redaction.requireQuotable(text));
    }
}
