// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * The uplink of one family, by which packets leave this machine without a tunnel: the default route of the main table
 * with the lowest metric; without one, the widest route with a gateway, because a default route may be split in two
 * halves, or be a route to one server only.
 *
 * @param gateway empty if the route is on-link
 * @param addresses the interface's global addresses of this family, with their prefix lengths
 * @param mtu of the interface, or of its default route if that is less, in bytes
 */
public record Uplink(String link, Optional<InetAddress> gateway, List<Prefix> addresses, int mtu) {

    public Uplink {
        addresses = List.copyOf(addresses);
    }
}
