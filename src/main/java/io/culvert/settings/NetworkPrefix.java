// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Coverage;
import io.culvert.net.Prefix;
import java.util.List;

/** Parses a network such as {@code 192.168.1.0/24}; an address without a length is a network of one address. */
final class NetworkPrefix {

    private NetworkPrefix() {}

    /**
     * @throws MalformedValue also if bits after the prefix are set, because it is unclear whether the address or the whole
     *     network is meant
     */
    static Prefix parse(String text) {
        Prefix prefix;
        try {
            prefix = Prefix.parse(text);
        } catch (IllegalArgumentException e) {
            throw new MalformedValue(
                    "'" + text + "': " + e.getMessage(), "use a network such as 192.168.1.0/24, or an address");
        }
        if (prefix.hasHostBits()) {
            throw new MalformedValue(
                    "'" + text + "' is an address within a network, not a network",
                    "use " + prefix.network() + " for the network, or " + Prefix.text(prefix.address())
                            + " for the address");
        }
        return prefix;
    }

    /** Parses a network that is reached outside the tunnel: it must not be most of the internet. */
    static Prefix parseBypassed(String text) {
        Prefix prefix = parse(text);
        if (Coverage.mostlyCoveredFamily(List.of(prefix)).isPresent()) {
            throw new MalformedValue(
                    "'" + text + "' covers most of the internet, which would bypass the tunnel",
                    "list only the networks to reach outside the tunnel");
        }
        return prefix;
    }
}
