// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Prefix;
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

    /** From IANA's special-purpose registries (RFC 6890); no server can have these addresses. */
    private static final List<ForbiddenAddresses> ALWAYS = Stream.of(
                    "0.0.0.0/8 unspecified",
                    "127.0.0.0/8 loopback",
                    "169.254.0.0/16 link-local",
                    "224.0.0.0/4 multicast",
                    "255.255.255.255/32 broadcast",
                    "::/128 unspecified",
                    "::1/128 loopback",
                    "fe80::/10 link-local",
                    "ff00::/8 multicast")
            .map(line -> line.split(" ", 2))
            .map(words -> new ForbiddenAddresses(Prefix.parse(words[0]), words[1]))
            .toList();

    /** Returns why this address is rejected; empty if it is allowed. */
    static Optional<String> reason(InetAddress address, List<ForbiddenAddresses> additional) {
        return Stream.concat(ALWAYS.stream(), additional.stream())
                .filter(forbidden -> forbidden.prefix.contains(address))
                .map(ForbiddenAddresses::description)
                .findFirst();
    }
}
