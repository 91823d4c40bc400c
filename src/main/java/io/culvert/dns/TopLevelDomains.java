// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The top-level domains of the internet. A new one that is not listed only costs an additional query. */
final class TopLevelDomains {

    private static final String RESOURCE = "top-level-domains.txt";

    private final Set<String> names;

    private TopLevelDomains(Set<String> names) {
        this.names = names;
    }

    /** Reads the list that is part of the program. */
    static TopLevelDomains read() {
        try (InputStream in = Objects.requireNonNull(TopLevelDomains.class.getResourceAsStream(RESOURCE))) {
            return new TopLevelDomains(new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .flatMap(line -> Stream.of(line.split(" ", -1)))
                    .collect(Collectors.toUnmodifiableSet()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean contains(String label) {
        return names.contains(label.toLowerCase(Locale.ROOT));
    }
}
