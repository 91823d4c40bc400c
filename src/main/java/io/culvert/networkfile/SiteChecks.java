// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Coverage;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Checks exit nodes and the networks behind peers. */
final class SiteChecks {

    private final NetworkDefinition network;
    private final PeerLinks links;
    private final NetworkFileProblems report;

    SiteChecks(NetworkDefinition network, PeerLinks links, NetworkFileProblems report) {
        this.network = network;
        this.links = links;
        this.report = report;
    }

    void run() {
        for (int i = 0; i < network.members().size(); i++) {
            int node = i;
            network.members()
                    .get(i)
                    .via()
                    .ifPresent(via -> links.member(via.value()).ifPresent(exit -> checkExit(node, exit, via)));
        }
        checkRoutes();
    }

    private void checkExit(int node, int exit, LocatedValue<String> via) {
        Member client = network.members().get(node);
        String name = via.value();
        if (node == exit) {
            report.error(via, "'" + name + "' cannot be its own exit node", "use another peer");
            return;
        }
        if (!network.members().get(exit).exit()) {
            report.error(
                    via,
                    "'" + name + "' is not an exit node",
                    "add 'exit: true' to it (line "
                            + network.members().get(exit).name().line() + ")");
        } else if (network.members().get(exit).external()) {
            report.warning(via, "'" + name + "' is an external peer", "make sure that it forwards packets");
        }
        checkLoop(node, via);
        OptionalInt subnet = links.firstSubnet(node, exit);
        if (subnet.isEmpty()) {
            report.error(
                    via,
                    "'" + client.name().value() + "' is not linked with '" + name + "'",
                    "add a connection between them");
            return;
        }
        String where = network.subnets().get(subnet.getAsInt()).name().value();
        List<Family> clientFamilies = client.in(where).stream()
                .flatMap(membership -> membership.addresses().stream())
                .map(address -> address.value().family())
                .toList();
        Arrays.stream(Family.values())
                .filter(family -> !clientFamilies.contains(family))
                .findFirst()
                .ifPresent(family -> report.warning(
                        via,
                        "'" + client.name().value() + "' uses the exit node '" + name + "', but has no "
                                + family.text() + " address in subnet '" + where
                                + "', so it has no internet access by that family",
                        "add one to its ipAddresses"
                                + (family == Family.IPV4 ? " in addition to auto" : ", such as auto")));
    }

    private void checkLoop(int start, LocatedValue<String> via) {
        Set<Integer> visited = new HashSet<>();
        int node = start;
        while (visited.add(node)) {
            Optional<LocatedValue<String>> next = network.members().get(node).via();
            OptionalInt number = next.isPresent() ? links.member(next.get().value()) : OptionalInt.empty();
            if (number.isEmpty()) {
                return;
            }
            node = number.getAsInt();
        }
        if (node == start && visited.size() > 1) {
            report.error(
                    via,
                    "'via: " + via.value() + "' is part of a loop of exit nodes",
                    "delete 'via' from one of the peers");
        }
    }

    /** Checks that a prefix belongs to one peer only, as WireGuard would silently remove it from the other. */
    private void checkRoutes() {
        Map<Prefix, Integer> addresses = new HashMap<>();
        for (int i = 0; i < network.members().size(); i++) {
            int holder = i;
            network.members().get(i).subnets().stream()
                    .flatMap(membership -> membership.addresses().stream())
                    .forEach(address ->
                            addresses.putIfAbsent(Prefix.host(address.value().address()), holder));
        }
        List<Integer> routers = new ArrayList<>();
        for (int i = 0; i < network.members().size(); i++) {
            Member router = network.members().get(i);
            if (router.routes().isEmpty()) {
                continue;
            }
            for (SiteRoute route : router.routes()) {
                Integer holder = addresses.get(route.to().value());
                if (holder != null && holder != i) {
                    report.error(
                            route.to(),
                            route.to().value() + " is the address of '" + name(holder) + "'",
                            "delete this route");
                }
                for (int earlier : routers) {
                    checkOverlap(earlier, i, route);
                }
            }
            routers.add(i);
        }
        checkCoverage(routers);
    }

    /** Rejects routes that together cover most of the internet, even if they belong to different peers. */
    private void checkCoverage(List<Integer> routers) {
        List<SiteRoute> all = routers.stream()
                .flatMap(router -> network.members().get(router).routes().stream())
                .toList();
        Coverage.mostlyCoveredFamily(
                        all.stream().map(route -> route.to().value()).toList())
                .ifPresent(family -> report.error(
                        all.getLast().to(),
                        "routes: together they cover most of the " + family.text() + " internet",
                        "add 'exit: true' to a peer instead, and 'via:' to the peers that use it"));
    }

    private void checkOverlap(int one, int other, SiteRoute route) {
        for (SiteRoute before : network.members().get(one).routes()) {
            Prefix earlier = before.to().value();
            Prefix later = route.to().value();
            if (earlier.overlaps(later) && haveCommonPeer(one, other)) {
                if (earlier.equals(later)) {
                    report.error(
                            route.to(),
                            later + " is already routed to '" + name(one) + "' (line "
                                    + before.to().line() + "), and a peer is linked with both",
                            "delete one of the routes");
                } else {
                    report.warning(
                            route.to(),
                            later + " and " + earlier + " behind '" + name(one)
                                    + "' overlap: the longer prefix takes precedence",
                            "use networks that do not overlap, unless this is intended");
                }
            }
        }
    }

    /** Returns whether a peer is linked with both, or they are linked with each other. */
    private boolean haveCommonPeer(int one, int other) {
        BitSet ofOne = linkedPeers(one);
        return ofOne.get(other) || ofOne.intersects(linkedPeers(other));
    }

    private BitSet linkedPeers(int peer) {
        BitSet all = new BitSet();
        for (int subnet = 0; subnet < network.subnets().size(); subnet++) {
            all.or(links.of(peer, subnet));
        }
        return all;
    }

    private String name(int member) {
        return network.members().get(member).name().value();
    }
}
