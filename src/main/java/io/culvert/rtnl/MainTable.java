// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import java.net.InetAddress;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The main routing table and the addresses of the links that do not belong to Culvert.
 *
 * @param routes of the main table, on links of other programs
 * @param addresses the global addresses of these links, except loopback
 */
public record MainTable(List<MainRoute> routes, List<LinkAddress> addresses) {

    private static final Prefix LINK_LOCAL = SpecialRange.LINK_LOCAL_IPV6.prefix();

    public MainTable {
        routes = List.copyOf(routes);
        addresses = List.copyOf(addresses);
    }

    /** Returns the route to an address: the longest prefix wins, then the lowest metric. */
    public Optional<MainRoute> routeTo(InetAddress destination) {
        return routes.stream()
                .filter(route -> route.destination().contains(destination))
                .min(Comparator.comparingInt(
                                (MainRoute route) -> -route.destination().length())
                        .thenComparingLong(MainRoute::metric));
    }

    /** Returns whether there is a route to an address. */
    public boolean hasRouteTo(InetAddress destination) {
        return routeTo(destination).isPresent();
    }

    /** Returns the networks whose hosts are neighbours on a link, except link-local ones. */
    public List<Prefix> onLink() {
        return routes.stream()
                .filter(route -> route.gateway().isEmpty())
                .map(MainRoute::destination)
                .filter(prefix -> !prefix.isDefault() && !prefix.isHost() && !LINK_LOCAL.contains(prefix))
                .distinct()
                .toList();
    }
}
