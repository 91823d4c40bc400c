// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Host;
import io.culvert.net.Prefix;
import java.util.List;
import java.util.stream.Stream;

/** Address ranges that are reachable from inside a private network only. */
final class PrivateSpace {

    private static final List<Prefix> PREFIXES = Stream.of(
                    "10.0.0.0/8", // RFC 1918
                    "172.16.0.0/12",
                    "192.168.0.0/16",
                    "100.64.0.0/10", // RFC 6598
                    "169.254.0.0/16", // RFC 3927
                    "fc00::/7", // RFC 4193
                    "fe80::/10") // RFC 4291
            .map(Prefix::parse)
            .toList();

    private PrivateSpace() {}

    /** Returns whether a host is in a private range. A name counts as public. */
    static boolean contains(Host host) {
        return host instanceof Host.Literal literal
                && PREFIXES.stream().anyMatch(prefix -> prefix.contains(literal.address()));
    }
}
