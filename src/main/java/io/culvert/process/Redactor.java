// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;

/** Redacts known secrets in text: programs print their keys in error messages. */
public final class Redactor implements UnaryOperator<String> {

    private final List<String> secrets;

    /** @param secrets as they would appear in the text; blank ones are ignored */
    public Redactor(Collection<String> secrets) {
        // The longest first: one secret may be a prefix of another.
        this.secrets = secrets.stream()
                .map(String::strip)
                .filter(secret -> !secret.isEmpty())
                .sorted(Comparator.comparingInt(String::length).reversed())
                .toList();
    }

    @Override
    public String apply(String text) {
        String redacted = text;
        for (String secret : secrets) {
            redacted = redacted.replace(secret, "(hidden)");
        }
        return redacted;
    }
}
