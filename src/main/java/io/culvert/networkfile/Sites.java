// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;
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
    record ExitRoute(int peer, int subnet) {}

    private final PeerLinks links;
    private final List<List<Prefix>> routes;
    private final Map<Integer, ExitRoute> exits = new HashMap<>();
    private final Map<Integer, List<Integer>> exitClients = new HashMap<>();

    Sites(NetworkDefinition network, PeerLinks links) {
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
                exits.put(node, new ExitRoute(peer.getAsInt(), subnet.getAsInt()));
                exitClients
                        .computeIfAbsent(peer.getAsInt(), _ -> new ArrayList<>())
                        .add(node);
            }
        }
    }

    Optional<ExitRoute> exitOf(int node) {
        return Optional.ofNullable(exits.get(node));
    }

    /** Returns the peers that use an exit node, sorted by name. */
    List<Integer> exitClients(int peer) {
        return exitClients.getOrDefault(peer, List.of());
    }

    boolean usesExit(int node, int exit, int subnet) {
        ExitRoute route = exits.get(node);
        return route != null && route.peer == exit && route.subnet == subnet;
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
