// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import io.culvert.roaming.Path.Reach;
import io.culvert.rtnl.Neighbours;
import io.culvert.rtnl.Neighbours.Neighbour;
import io.culvert.rtnl.RouteLookup;
import io.culvert.rtnl.RouteLookup.Hop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The paths to endpoint candidates, from a snapshot of the kernel's tables. Not thread-safe. */
public final class PathLookup implements Function<InetSocketAddress, Path> {

    private final RouteLookup routes;
    private final Neighbours neighbours;
    private final long mark;
    private final Map<InetAddress, Path> cache = new HashMap<>();
    private Map<InetAddress, List<Neighbour>> neighboursByAddress;

    /**
     * Reads the kernel's tables.
     *
     * @param mark of the packets that take the paths; 0 for none
     */
    public PathLookup(RouteLookup routes, Neighbours neighbours, long mark) {
        this.routes = routes;
        this.neighbours = neighbours;
        this.mark = mark;
        this.neighboursByAddress = read();
    }

    /** Takes a new snapshot. */
    void refresh() {
        cache.clear();
        neighboursByAddress = read();
    }

    /** Makes the kernel solicit those candidates on connected networks for which no neighbour entry exists. */
    void solicit(List<InetSocketAddress> candidates) {
        for (InetSocketAddress candidate : candidates) {
            if (apply(candidate).reach() == Reach.UNRESOLVED) {
                routes.hop(candidate.getAddress(), mark)
                        .ifPresent(hop -> neighbours.solicit(hop.link(), candidate.getAddress()));
            }
        }
    }

    @Override
    public Path apply(InetSocketAddress candidate) {
        return cache.computeIfAbsent(candidate.getAddress(), this::lookUp);
    }

    private Path lookUp(InetAddress address) {
        return routes.hop(address, mark).map(hop -> pathTo(address, hop)).orElse(Path.NONE);
    }

    private Path pathTo(InetAddress address, Hop hop) {
        String from = hop.link() + " from "
                + hop.source().map(InetAddress::getHostAddress).orElse("") + " by ";
        if (hop.gateway().isPresent()) {
            return new Path(Reach.ROUTED, from + hop.gateway().get().getHostAddress());
        }
        return neighboursByAddress.getOrDefault(address, List.of()).stream()
                .filter(neighbour -> neighbour.link() == hop.link() && neighbour.isReachable())
                .findFirst()
                .map(neighbour -> new Path(Reach.ON_LINK, from + neighbour.hardwareAddress()))
                .orElse(new Path(Reach.UNRESOLVED, from));
    }

    private Map<InetAddress, List<Neighbour>> read() {
        return neighbours.read().stream().collect(Collectors.groupingBy(Neighbour::address));
    }
}
