// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Redacts known secrets in text: programs print their keys in error messages. */
public final class Redactor implements UnaryOperator<String> {

    private volatile List<String> secrets = List.of();

    /** @param secrets as they would appear in the text; blank ones are ignored */
    public Redactor(Collection<String> secrets) {
        add(secrets);
    }

    /** Redacts these secrets too, from now on. */
    public synchronized void add(Collection<String> more) {
        // The longest first: one secret may be a prefix of another.
        secrets = Stream.concat(secrets.stream(), more.stream())
                .map(String::strip)
                .filter(secret -> !secret.isEmpty())
                .distinct()
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
