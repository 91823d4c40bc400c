// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.KernelTable;
import io.culvert.packetpath.PacketFields;
import io.culvert.packetpath.PacketPath;
import io.culvert.packetpath.PacketPath.Departure;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.packetpath.Truth;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.LookupRoute;
import io.culvert.rtnl.LookupRule;
import io.culvert.rtnl.LookupRules;
import io.culvert.rtnl.Route;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Packets that no exit node of the simulation may ever let out, whatever its settings, server and state: one of each kind that
 * the kill switch has rules for. The model of a packet's path follows them.
 */
final class Witnesses {

    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;
    private static final long TUNNEL_MARK = 0x51000000L;
    private static final long STUB_MARK = 0x52000000L;

    /**
     * A packet.
     *
     * @param isForEachLayer whether each layer by itself has to block it
     * @param from the link that it comes in through; empty for a local process
     */
    private record Witness(
            String text,
            boolean isForEachLayer,
            Optional<String> from,
            String source,
            String destination,
            int protocol,
            int port,
            long mark,
            boolean isBoundToUplink) {

        Family family() {
            return Family.of(Prefix.parseAddress(destination));
        }
    }

    /** {@code RT_TABLE_LOCAL} (include/uapi/linux/rtnetlink.h). */
    private static final long LOCAL = 255;

    private static final List<Witness> ALL = witnesses();

    private Witnesses() {}

    private static List<Witness> witnesses() {
        List<Witness> all = new ArrayList<>();
        for (String destination : List.of("203.0.113.99", "2001:db8:ffff::9")) {
            int icmp = destination.contains(":") ? ICMPV6 : ICMP;
            all.add(local("TCP to " + destination, true, destination, TCP, 443, 0, false));
            all.add(local("UDP to " + destination, true, destination, UDP, 443, 0, false));
            all.add(local("ICMP to " + destination, true, destination, icmp, 0, 0, false));
            all.add(local("DNS to " + destination, true, destination, UDP, 53, 0, false));
            all.add(local(
                    "TCP with the tunnel's mark to " + destination, false, destination, TCP, 443, TUNNEL_MARK, false));
            all.add(local(
                    "UDP with the tunnel's mark to " + destination, false, destination, UDP, 443, TUNNEL_MARK, false));
            all.add(local("TCP with the stub's mark to " + destination, false, destination, TCP, 53, STUB_MARK, false));
            all.add(local("TCP bound to the uplink to " + destination, false, destination, TCP, 443, 0, true));
            all.add(local("UDP bound to the uplink to " + destination, false, destination, UDP, 4433, 0, true));
        }
        all.add(local("TCP to the server", true, "203.0.113.11", TCP, 443, 0, false));
        all.add(local("UDP to the server's port", true, "203.0.113.11", UDP, 51820, 0, false));
        all.add(local(
                "marked UDP to the server's port from another one",
                false,
                "203.0.113.11",
                UDP,
                51820,
                TUNNEL_MARK,
                false));
        all.add(local("DNS to the container's resolver", true, "192.0.2.53", UDP, 53, 0, false));
        all.add(local("TCP to the local network", true, "192.0.2.77", TCP, 80, 0, false));
        all.add(local("multicast", false, "239.1.2.3", UDP, 5000, 0, true));
        all.add(new Witness(
                "TCP from a client", true, Optional.of("mesh0"), "10.77.0.2", "203.0.113.99", TCP, 443, 0, false));
        all.add(new Witness(
                "UDP from a client", true, Optional.of("mesh0"), "10.77.0.2", "203.0.113.99", UDP, 443, 0, false));
        all.add(new Witness(
                "UDP from a client to the local network",
                true,
                Optional.of("mesh0"),
                "10.77.0.2",
                "192.0.2.77",
                UDP,
                443,
                0,
                false));
        return List.copyOf(all);
    }

    private static Witness local(
            String text, boolean isForEachLayer, String destination, int protocol, int port, long mark, boolean bound) {
        return new Witness(text, isForEachLayer, Optional.empty(), "", destination, protocol, port, mark, bound);
    }

    /**
     * What may leave in a state of the kernel.
     *
     * @param byEachLayer those of which each layer by itself has to block each
     * @param others those that nftables has to block
     */
    record Leaving(List<String> byEachLayer, List<String> others) {

        Leaving {
            byEachLayer = List.copyOf(byEachLayer);
            others = List.copyOf(others);
        }
    }

    /** What nftables alone decide by, whatever the routes are. */
    private record WithAnyRoute(long ruleset, List<StateLink> links, List<LinkAddress> addresses) {

        private WithAnyRoute {
            links = List.copyOf(links);
            addresses = List.copyOf(addresses);
        }
    }

    private static final Map<WithAnyRoute, List<Witness>> PASSING_NFTABLES = new ConcurrentHashMap<>();

    /**
     * Finds what may leave. What nftables block if everything is routed to an uplink is blocked with the real routes too, which
     * change much more often.
     *
     * @param rulesetHash that of the tables
     * @param inner the links of tunnel and mesh
     */
    static Leaving find(RoutingState routing, List<KernelTable> tables, long rulesetHash, Set<String> inner) {
        List<StateLink> uplinks = uplinks(routing, inner);
        List<Witness> candidates = PASSING_NFTABLES.computeIfAbsent(
                new WithAnyRoute(rulesetHash, routing.links(), routing.addresses()),
                _ -> passing(routing, tables, uplinks));
        PacketPath<Truth> path = path(routing, tables);
        List<Witness> leaving = candidates.stream()
                .filter(witness -> leaves(path, routing, witness, uplinks))
                .toList();
        return new Leaving(texts(leaving, true), texts(leaving, false));
    }

    private static List<Witness> passing(RoutingState routing, List<KernelTable> tables, List<StateLink> uplinks) {
        List<PacketPath<Truth>> paths = uplinks.stream()
                .map(uplink -> path(everythingTo(uplink, routing), tables))
                .toList();
        return ALL.stream()
                .filter(witness -> paths.stream().anyMatch(path -> leaves(path, routing, witness, uplinks)))
                .toList();
    }

    private static List<String> texts(List<Witness> leaving, boolean isForEachLayer) {
        return leaving.stream()
                .filter(witness -> witness.isForEachLayer() == isForEachLayer)
                .map(Witness::text)
                .toList();
    }

    private static PacketPath<Truth> path(RoutingState routing, List<KernelTable> tables) {
        return new PacketPath<>(Truth.LOGIC, routing, tables, Layers.BOTH);
    }

    /** Returns the same machine with nothing but its own addresses and a default route through this link. */
    private static RoutingState everythingTo(StateLink uplink, RoutingState routing) {
        List<LookupRule> rules = new ArrayList<>();
        List<LookupRoute> routes = new ArrayList<>();
        for (Family family : Family.values()) {
            rules.add(LookupRules.lookup(family, 0, LOCAL));
            rules.add(LookupRules.lookup(family, 1, Route.MAIN));
            routes.add(new LookupRoute(
                    family,
                    Route.MAIN,
                    LookupRoute.Kind.UNICAST,
                    Prefix.all(family),
                    Prefix.all(family),
                    0,
                    0,
                    Optional.empty(),
                    List.of(new LookupRoute.Hop(uplink.index(), Optional.empty(), true)),
                    true));
        }
        routing.routes().stream().filter(route -> route.table() == LOCAL).forEach(routes::add);
        return new RoutingState(routing.links(), routing.addresses(), rules, routes);
    }

    private static boolean leaves(
            PacketPath<Truth> path, RoutingState routing, Witness witness, List<StateLink> uplinks) {
        return (witness.isBoundToUplink() ? uplinks : uplinks.subList(0, Math.min(1, uplinks.size())))
                .stream().anyMatch(bound -> leaves(path, routing, witness, bound, uplinks));
    }

    private static List<StateLink> uplinks(RoutingState routing, Set<String> inner) {
        return routing.links().stream()
                .filter(link -> !link.isLoopback() && link.isUp() && !inner.contains(link.name()))
                .toList();
    }

    private static boolean leaves(
            PacketPath<Truth> path, RoutingState routing, Witness witness, StateLink bound, List<StateLink> uplinks) {
        PacketFields<Truth> fields = fields(
                witness.family(),
                source(routing, witness, bound),
                witness.destination(),
                witness.protocol(),
                33333,
                witness.port(),
                witness.mark(),
                witness.isBoundToUplink() ? path.link(bound) : 0,
                path.linkBits());
        List<Departure<Truth>> departures = new ArrayList<>();
        if (witness.from().isEmpty()) {
            departures.addAll(path.send(fields, Truth.YES, Truth.NO, Truth.YES));
        } else {
            Optional<StateLink> from = routing.links().stream()
                    .filter(link -> link.name().equals(witness.from().get()) && link.isUp())
                    .findFirst();
            from.ifPresent(link ->
                    path.receive(fields, link, Truth.YES).forEach(arrival -> departures.add(arrival.forwarded())));
        }
        return departures.stream()
                .anyMatch(departure -> uplinks.stream().anyMatch(link -> path.leaving(departure, link) != Truth.NO));
    }

    private static String source(RoutingState routing, Witness witness, StateLink uplink) {
        if (!witness.source().isEmpty()) {
            return witness.source();
        }
        return routing.addresses().stream()
                .filter(address -> address.link().equals(uplink.name())
                        && address.address().family() == witness.family()
                        && !address.address().address().isLinkLocalAddress())
                .map(address -> Prefix.text(address.address().address()))
                .findFirst()
                .orElse(witness.family() == Family.IPV4 ? "192.0.2.10" : "2001:db8:1::10");
    }

    /** Returns whether the tunnel's own packet leaves by an uplink. */
    static boolean leavesTunnelPacket(
            RoutingState routing,
            List<KernelTable> tables,
            Set<String> inner,
            String source,
            String server,
            int from,
            int to,
            long mark) {
        PacketPath<Truth> path = path(routing, tables);
        Family family = Family.of(Prefix.parseAddress(server));
        PacketFields<Truth> fields = fields(family, source, server, UDP, from, to, mark, 0, path.linkBits());
        List<StateLink> uplinks = uplinks(routing, inner);
        return path.send(fields, Truth.YES, Truth.NO, Truth.YES).stream()
                .anyMatch(departure -> uplinks.stream().anyMatch(link -> path.leaving(departure, link) != Truth.NO));
    }

    private static PacketFields<Truth> fields(
            Family family,
            String source,
            String destination,
            int protocol,
            int sourcePort,
            int destinationPort,
            long mark,
            int boundLink,
            int linkBits) {
        var logic = Truth.LOGIC;
        return new PacketFields<>(
                family,
                logic.constant(Prefix.parseAddress(source).getAddress()),
                logic.constant(Prefix.parseAddress(destination).getAddress()),
                logic.constant(protocol, 8),
                logic.constant((long) sourcePort << 16 | destinationPort, 32),
                logic.constant(2, 8),
                logic.constant(mark, 32),
                logic.constant(boundLink, linkBits),
                Truth.NO,
                logic.constant(PacketFields.STATE_NEW, 3),
                logic.constant(0, 32),
                Truth.NO,
                Truth.NO,
                logic.constant(1000, 32));
    }
}
