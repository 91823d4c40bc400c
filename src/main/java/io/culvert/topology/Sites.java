package io.culvert.topology;

import io.culvert.ip.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The networks behind peers, and the exit nodes that peers use. */
final class Sites {

    /**
     * The use of an exit node.
     *
     * @param peer the exit node
     */
    record Way(int peer, int subnet) {}

    private final Links links;
    private final List<List<Prefix>> routes;
    private final Map<Integer, Way> exits = new HashMap<>();
    private final Map<Integer, List<Integer>> leavers = new HashMap<>();

    Sites(Network network, Links links) {
        this.links = links;
        List<Member> members = network.members();
        routes = members.stream()
                .map(member -> member.routes().stream()
                        .map(route -> route.to().value())
                        .distinct()
                        .toList())
                .toList();
        for (int node = 0; node < members.size(); node++) {
            if (members.get(node).via().isPresent()) {
                String via = members.get(node).via().get().value();
                addExit(node, links.member(via));
            }
        }
    }

    private void addExit(int node, OptionalInt peer) {
        if (peer.isPresent()) {
            OptionalInt subnet = links.firstSubnet(node, peer.getAsInt());
            if (subnet.isPresent()) {
                exits.put(node, new Way(peer.getAsInt(), subnet.getAsInt()));
                leavers.computeIfAbsent(peer.getAsInt(), _ -> new ArrayList<>()).add(node);
            }
        }
    }

    Optional<Way> exitOf(int node) {
        return Optional.ofNullable(exits.get(node));
    }

    /** Returns the peers that use an exit node, sorted by name. */
    List<Integer> leavers(int peer) {
        return leavers.getOrDefault(peer, List.of());
    }

    boolean leaves(int leaver, int exit, int subnet) {
        Way way = exits.get(leaver);
        return way != null && way.peer == exit && way.subnet == subnet;
    }

    /** Returns the networks behind {@code peer} that {@code node} reaches in {@code subnet}. */
    List<Prefix> behind(int node, int peer, int subnet) {
        List<Prefix> all = routes.get(peer);
        if (all.isEmpty()) {
            return all;
        }
        OptionalInt first = links.firstSubnet(node, peer);
        return first.isPresent() && first.getAsInt() == subnet ? all : List.of();
    }
}
