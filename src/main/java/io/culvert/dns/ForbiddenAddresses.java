// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Addresses that a name must not resolve to: otherwise a forged response could use an exemption from the tunnel to
 * leak traffic (TunnelCrack, CVE-2023-36673).
 *
 * @param description a description of the prefix, such as {@code the mesh's own range}
 */
public record ForbiddenAddresses(Prefix prefix, String description) {

    /** No server can have these addresses. */
    private static final List<ForbiddenAddresses> ALWAYS = Stream.of(
                    SpecialRange.THIS_NETWORK,
                    SpecialRange.LOOPBACK_IPV4,
                    SpecialRange.LINK_LOCAL_IPV4,
                    SpecialRange.MULTICAST_IPV4,
                    SpecialRange.BROADCAST,
                    SpecialRange.UNSPECIFIED_IPV6,
                    SpecialRange.LOOPBACK_IPV6,
                    SpecialRange.LINK_LOCAL_IPV6,
                    SpecialRange.MULTICAST_IPV6)
            .map(range -> new ForbiddenAddresses(range.prefix(), range.description()))
            .toList();

    /** Returns why this address is rejected; empty if it is allowed. */
    static Optional<String> reason(InetAddress address, List<ForbiddenAddresses> additional) {
        return Stream.concat(ALWAYS.stream(), additional.stream())
                .filter(forbidden -> forbidden.prefix.contains(address))
                .map(ForbiddenAddresses::description)
                .findFirst();
    }
}
