package io.culvert.mesh.tailscale;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The settings that a node with a state remembers and that its environment no longer mentions. {@code tailscale up} refuses
 * to guess what is meant and prints the command that would keep them.
 */
final class LostFlags {

    /** Follows from variables of containerboot's other than TS_EXTRA_ARGS, or is ours. */
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

    /** With {@code --reset} it would leave for another server. */
    static final String SERVER = "--login-server";

    private LostFlags() {}

    /**
     * @param line of output
     * @param given the words of TS_EXTRA_ARGS
     * @return what was lost, as flags with values; empty for another line
     */
    static Optional<List<String>> in(String line, List<String> given) {
        List<String> words = List.of(line.strip().split("\\s+"));
        if (words.size() < 3
                || !words.subList(0, 2).equals(List.of("tailscale", "up"))
                || !words.get(2).startsWith("--")) {
            return Optional.empty();
        }
        Set<String> mentioned = Set.copyOf(given.stream().map(LostFlags::name).toList());
        return Optional.of(words.stream()
                .skip(2)
                .filter(word -> word.startsWith("--"))
                .filter(word -> !mentioned.contains(name(word)) && !FROM_VARIABLES.contains(name(word)))
                .toList());
    }

    static boolean needAnotherServer(List<String> lost) {
        return lost.stream().anyMatch(flag -> flag.startsWith(SERVER));
    }

    private static String name(String word) {
        return Stream.of(word.replaceFirst("^--?", "").split("=", 2))
                .findFirst()
                .orElse("");
    }
}
