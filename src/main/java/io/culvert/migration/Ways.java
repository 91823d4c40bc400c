package io.culvert.migration;

import io.culvert.migration.Way.Reach;
import io.culvert.network.Neighbours;
import io.culvert.network.Neighbours.Neighbour;
import io.culvert.network.Paths;
import io.culvert.network.Paths.Hop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The paths to endpoint candidates, from a snapshot of the kernel's tables. Not thread-safe. */
public final class Ways implements Function<InetSocketAddress, Way> {

    private final Paths paths;
    private final Neighbours neighbours;
    private final long mark;
    private final Map<InetAddress, Way> known = new HashMap<>();
    private Map<InetAddress, List<Neighbour>> table;

    /**
     * Reads the kernel's tables.
     *
     * @param mark of the packets that take the paths; 0 for none
     */
    public Ways(Paths paths, Neighbours neighbours, long mark) {
        this.paths = paths;
        this.neighbours = neighbours;
        this.mark = mark;
        this.table = read();
    }

    /** Takes a new snapshot. */
    void refresh() {
        known.clear();
        table = read();
    }

    /** Makes the kernel solicit those candidates on connected networks for which no neighbour entry exists. */
    void ask(List<InetSocketAddress> places) {
        for (InetSocketAddress place : places) {
            if (apply(place).reach() == Reach.SILENT) {
                paths.hop(place.getAddress(), mark).ifPresent(hop -> neighbours.ask(hop.link(), place.getAddress()));
            }
        }
    }

    @Override
    public Way apply(InetSocketAddress place) {
        return known.computeIfAbsent(place.getAddress(), this::look);
    }

    private Way look(InetAddress address) {
        return paths.hop(address, mark).map(hop -> way(address, hop)).orElse(Way.NONE);
    }

    private Way way(InetAddress address, Hop hop) {
        String from = hop.link() + " from "
                + hop.source().map(InetAddress::getHostAddress).orElse("") + " by ";
        if (hop.gateway().isPresent()) {
            return new Way(Reach.FAR, from + hop.gateway().get().getHostAddress());
        }
        return table.getOrDefault(address, List.of()).stream()
                .filter(neighbour -> neighbour.link() == hop.link() && neighbour.answers())
                .findFirst()
                .map(neighbour -> new Way(Reach.NEAR, from + neighbour.hardware()))
                .orElse(new Way(Reach.SILENT, from));
    }

    private Map<InetAddress, List<Neighbour>> read() {
        return neighbours.read().stream().collect(Collectors.groupingBy(Neighbour::address));
    }
}
