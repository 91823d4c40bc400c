// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The network that a Tailscale node is logged in to, as far as it is known.
 *
 * @param addresses of this node in it
 * @param reach prefixes of its peers and of the routes that this node has accepted, outside {@link #RANGES}; never a default
 *     route
 * @param suffix suffix of its DNS names, such as {@code tailnet.example}, without leading and trailing dots
 * @param relayPorts TCP ports of the relays that its control server names
 */
public record Tailnet(
        List<InetAddress> addresses, List<Prefix> reach, Optional<String> suffix, Set<Integer> relayPorts) {

    /** The address ranges of all tailnets (tailscale: net/tsaddr, CGNATRange and TailscaleULARange). */
    public static final List<Prefix> RANGES =
            List.of(SpecialRange.SHARED.prefix(), Prefix.parse("fd7a:115c:a1e0::/48"));

    public static final Tailnet UNKNOWN = new Tailnet(List.of(), List.of(), Optional.empty(), Set.of());

    public Tailnet {
        addresses = List.copyOf(addresses);
        reach = List.copyOf(reach);
        relayPorts = Set.copyOf(relayPorts);
    }
}
