package io.culvert.settings;

import io.culvert.ip.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The subnets that local processes reach, and may be reached from, outside the tunnel.
 *
 * @param connected whether the private ranges that the uplink is connected to belong to them
 * @param prefixes further ones, without host bits; none is a whole family
 */
public record LanAllow(boolean connected, List<Prefix> prefixes) {

    public LanAllow {
        prefixes = List.copyOf(prefixes);
    }

    /**
     * Reads {@code none}, or a list of networks and {@code auto}.
     *
     * @throws IllegalArgumentException with a sentence for people
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

    /** Empty stands for the word auto. */
    private static Optional<Prefix> item(String text) {
        if (text.equalsIgnoreCase("none")) {
            throw new Malformed("is 'none', which stands alone", "write none, or the networks without it");
        }
        return text.equalsIgnoreCase("auto") ? Optional.empty() : Optional.of(Subnet.parsePart(text));
    }

    /** As it is written. */
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
