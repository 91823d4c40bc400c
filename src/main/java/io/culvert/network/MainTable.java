package io.culvert.network;

import io.culvert.ip.Prefix;
import java.net.InetAddress;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What table main and the links that are not ours say of the networks around this machine.
 *
 * @param routes of main, on links that are not ours
 * @param addresses global ones of these links, the loopback excepted
 */
public record MainTable(List<MainRoute> routes, List<LinkAddress> addresses) {

    private static final Prefix LINK_LOCAL = Prefix.parse("fe80::/10");

    public MainTable {
        routes = List.copyOf(routes);
        addresses = List.copyOf(addresses);
    }

    /** How a packet to an address would leave: the longest prefix wins, then the lowest metric. */
    public Optional<MainRoute> routeTo(InetAddress destination) {
        return routes.stream()
                .filter(route -> route.destination().contains(destination))
                .min(Comparator.comparingInt(
                                (MainRoute route) -> -route.destination().length())
                        .thenComparingLong(MainRoute::metric));
    }

    /** Whether there is a route to an address. */
    public boolean reaches(InetAddress destination) {
        return routeTo(destination).isPresent();
    }

    /** Networks whose hosts are neighbours on a link, link-local ones excepted. */
    public List<Prefix> onLink() {
        return routes.stream()
                .filter(route -> route.gateway().isEmpty())
                .map(MainRoute::destination)
                .filter(prefix -> !prefix.isDefault() && !prefix.isHost() && !LINK_LOCAL.contains(prefix))
                .distinct()
                .toList();
    }
}
