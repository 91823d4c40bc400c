// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * A route of any program, as the kernel evaluates it.
 *
 * @param source IPv6 only: the packets' source addresses ({@code from}); a whole family otherwise
 * @param metric lower is better
 * @param typeOfService 0 if it is no condition
 * @param preferredSource {@code src}
 * @param hops one, or several of a multipath route; none if the route has no next hop, as blocking ones in IPv4
 * @param isUnderstood false if it has something that is not modelled, such as an encapsulation: it may do anything
 */
public record LookupRoute(
        Family family,
        long table,
        Kind kind,
        Prefix destination,
        Prefix source,
        long metric,
        int typeOfService,
        Optional<InetAddress> preferredSource,
        List<Hop> hops,
        boolean isUnderstood) {

    /** {@code RTN_*} (include/uapi/linux/rtnetlink.h), as far as they differ in their effect. */
    public enum Kind {
        UNICAST,
        LOCAL,
        /** {@code RTN_BROADCAST}, {@code RTN_ANYCAST} and {@code RTN_MULTICAST}: as unicast when sent; never forwarded. */
        BROADCAST,
        /** {@code RTN_BLACKHOLE}, {@code RTN_UNREACHABLE}, {@code RTN_PROHIBIT}. */
        BLOCK,
        /** {@code RTN_THROW}: the next rule is evaluated. */
        THROW
    }

    /**
     * A next hop.
     *
     * @param link its index
     * @param isUsable whether its link is up and has a carrier
     */
    public record Hop(int link, Optional<InetAddress> gateway, boolean isUsable) {}

    public LookupRoute {
        hops = List.copyOf(hops);
    }
}
