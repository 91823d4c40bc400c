// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The networks that are reachable outside the tunnel, in both directions.
 *
 * @param connected whether the private ranges that the uplink is connected to are included
 * @param prefixes further networks, without host bits; none is a whole address family
 */
public record LanAllow(boolean connected, List<Prefix> prefixes) {

    public LanAllow {
        prefixes = List.copyOf(prefixes);
    }

    /**
     * Parses {@code none}, or a list of networks and {@code auto}.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    static LanAllow parse(String text) {
        if (text.equalsIgnoreCase("none")) {
            return new LanAllow(false, List.of());
        }
        List<Optional<Prefix>> items = new ItemList<>(LanAllow::item).parse(text);
        return new LanAllow(
                items.stream().anyMatch(Optional::isEmpty),
                items.stream().flatMap(Optional::stream).distinct().toList());
    }

    /** Parses one item; empty stands for the word {@code auto}. */
    private static Optional<Prefix> item(String text) {
        if (text.equalsIgnoreCase("none")) {
            throw new MalformedValue("'none' cannot be combined with networks", "use none, or the networks without it");
        }
        return text.equalsIgnoreCase("auto") ? Optional.empty() : Optional.of(NetworkPrefix.parseBypassed(text));
    }

    /** Returns the form in which it is written. */
    @Override
    public String toString() {
        if (!connected && prefixes.isEmpty()) {
            return "none";
        }
        return Stream.concat(
                        connected ? Stream.of("auto") : Stream.empty(),
                        prefixes.stream().map(Prefix::toString))
                .collect(Collectors.joining(", "));
    }
}
