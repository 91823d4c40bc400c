package io.culvert.settings;

import io.culvert.ip.Coverage;
import io.culvert.ip.Prefix;
import java.util.List;

/** A network, written as {@code 192.168.1.0/24}; a plain address stands for itself. */
final class Subnet {

    private Subnet() {}

    /** @throws Malformed also where bits behind the prefix are set: what was meant is unclear, and too much may be open */
    static Prefix parse(String text) {
        Prefix prefix;
        try {
            prefix = Prefix.parse(text);
        } catch (IllegalArgumentException e) {
            throw new Malformed(
                    "is '" + text + "': " + e.getMessage(), "write a network such as 192.168.1.0/24, or one address");
        }
        if (prefix.hasHostBits()) {
            throw new Malformed(
                    "is '" + text + "', which is an address within a network, not a network",
                    "write " + prefix.network() + " for the network, or " + Prefix.text(prefix.address())
                            + " for the address");
        }
        return prefix;
    }

    /** The same, for what opens the guard: one prefix may not be the whole internet, nor most of it. */
    static Prefix parsePart(String text) {
        Prefix prefix = parse(text);
        if (Coverage.mostOf(List.of(prefix)).isPresent()) {
            throw new Malformed(
                    "is '" + text + "', which would let everything past the tunnel",
                    "name the networks that are to be reached outside of it");
        }
        return prefix;
    }
}
