// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The settings in a node's saved state that its environment no longer mentions. {@code tailscale up} then refuses
 * to run and prints the command that would keep them.
 */
final class MissingFlags {

    /** Flags that follow from variables of containerboot other than TS_EXTRA_ARGS, or are set by Culvert. */
    private static final Set<String> FROM_VARIABLES = Set.of(
            "accept-dns",
            "auth-key",
            "client-id",
            "client-secret",
            "id-token",
            "audience",
            "advertise-routes",
            "hostname",
            "advertise-exit-node");

    /** The flag without which {@code --reset} would move the node to another control server. */
    static final String SERVER = "--login-server";

    private MissingFlags() {}

    /**
     * Parses the command that {@code tailscale up} prints.
     *
     * @param line a line of output
     * @param arguments the words of TS_EXTRA_ARGS
     * @return the flags that are not mentioned any more, with values; empty for any other line
     */
    static Optional<List<String>> findIn(String line, List<String> arguments) {
        List<String> words = List.of(line.strip().split("\\s+"));
        if (words.size() < 3
                || !words.subList(0, 2).equals(List.of("tailscale", "up"))
                || !words.get(2).startsWith("--")) {
            return Optional.empty();
        }
        Set<String> mentioned =
                Set.copyOf(arguments.stream().map(MissingFlags::flagName).toList());
        return Optional.of(words.stream()
                .skip(2)
                .filter(word -> word.startsWith("--"))
                .filter(word -> !mentioned.contains(flagName(word)) && !FROM_VARIABLES.contains(flagName(word)))
                .toList());
    }

    static boolean changesServer(List<String> missingFlags) {
        return missingFlags.stream().anyMatch(flag -> flag.startsWith(SERVER));
    }

    private static String flagName(String word) {
        return Stream.of(word.replaceFirst("^--?", "").split("=", 2))
                .findFirst()
                .orElse("");
    }
}
