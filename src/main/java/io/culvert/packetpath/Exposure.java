// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Marks;
import io.culvert.net.MaskedMark;
import io.culvert.nft.KernelTable;
import io.culvert.packetpath.PacketPath.Arrival;
import io.culvert.packetpath.PacketPath.Departure;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.packetpath.PacketPath.SentFields;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * All packets of one family that may leave a namespace, or come in, by the kernel's own state.
 *
 * <p>A connection's mark says what the rules know about its beginning. Which bits it can have is found out from the rules
 * themselves: a bit that no rule sets for a kind of connection is not set.
 */
public final class Exposure {

    /**
     * Packets that may leave through a link.
     *
     * @param link not one of the inside ones
     * @param from the link that they come in through; empty for those of local processes and of the kernel itself
     * @param packets the set, in terms of {@link #fields}
     * @param sent the fields that they are sent with
     * @param steps the decisions on their way, also those on other packets
     */
    public record Outgoing(
            StateLink link,
            Optional<StateLink> from,
            Integer packets,
            SentFields<Integer> sent,
            List<Step<Integer>> steps) {

        public Outgoing {
            steps = List.copyOf(steps);
        }
    }

    /**
     * Packets that local processes or the kernel itself may get.
     *
     * @param link that they come in through
     * @param packets the set, in terms of {@link #fields}
     * @param delivered their fields then
     * @param steps the decisions on their way, also those on other packets
     */
    public record Incoming(StateLink link, Integer packets, SentFields<Integer> delivered, List<Step<Integer>> steps) {

        public Incoming {
            steps = List.copyOf(steps);
        }
    }

    /**
     * Packets that leave, through whatever link.
     *
     * @param from the link that they come in through; empty for those of local processes and of the kernel itself
     */
    record Crossing(Optional<StateLink> from, Departure<Integer> departure) {}

    private final PacketSets sets;
    private final PacketPath<Integer> path;
    private final PacketFields<Integer> fields;
    private final Integer isBoundToAddress;
    private final Set<String> inside;
    private final List<Crossing> crossings = new ArrayList<>();
    private final List<Outgoing> outgoing = new ArrayList<>();
    private final List<Incoming> incoming = new ArrayList<>();

    /** The bits that the marks of connections may have: of those from an uplink, and of all others. */
    private long inboundBits;

    private long otherBits;

    private final Integer possible;
    private final AllPackets all;
    private final RoutingState routing;
    private final List<KernelTable> tables;

    /**
     * Follows all packets.
     *
     * @param inside the names of the tunnel's and the mesh's links, through which packets may leave
     */
    public Exposure(AllPackets all, RoutingState routing, List<KernelTable> tables, Set<String> inside, Layers layers) {
        this(all, routing, tables, inside, layers, Optional.empty());
    }

    /**
     * Returns the exposure by both layers. Where rules are evaluated for every route, as here, all packets are found that pass
     * with the real routes too: only those have to be followed, which are few.
     */
    public Exposure withRoutes() {
        return new Exposure(all, routing, tables, inside, Layers.BOTH, Optional.of(this));
    }

    private Exposure(
            AllPackets all,
            RoutingState routing,
            List<KernelTable> tables,
            Set<String> inside,
            Layers layers,
            Optional<Exposure> anyRoute) {
        this.all = all;
        this.routing = routing;
        this.tables = List.copyOf(tables);
        this.inside = Set.copyOf(inside);
        sets = all.sets();
        fields = all.fields();
        isBoundToAddress = all.isBoundToAddress();
        path = new PacketPath<>(sets, routing, tables, layers);
        // A packet that is dropped can mark its connection, too.
        anyRoute.ifPresent(exposure -> {
            inboundBits = exposure.inboundBits;
            otherBits = exposure.otherBits;
        });
        Integer local = sets.and(localPackets(), passing(anyRoute, Optional.empty()));
        for (Departure<Integer> departure : path.send(fields, local, isBoundToAddress)) {
            learn(local, departure.lastConnectionMark());
            addOutgoing(Optional.empty(), departure);
        }
        for (StateLink link : routing.links()) {
            if (link.isUp() && !link.isLoopback()) {
                Integer packets = sets.and(packetsFrom(link), passing(anyRoute, Optional.of(link)));
                for (Arrival<Integer> arrival : path.receive(fields, link, packets)) {
                    learn(packets, arrival.forwarded().lastConnectionMark());
                    addOutgoing(Optional.of(link), arrival.forwarded());
                    incoming.add(new Incoming(
                            link,
                            arrival.delivered(),
                            arrival.deliveredFields(),
                            arrival.forwarded().steps()));
                }
            }
        }
        possible = possibleMarks();
        outgoing.replaceAll(
                it -> new Outgoing(it.link(), it.from(), sets.and(it.packets(), possible), it.sent(), it.steps()));
        outgoing.removeIf(it -> sets.isNo(it.packets()));
        incoming.replaceAll(
                it -> new Incoming(it.link(), sets.and(it.packets(), possible), it.delivered(), it.steps()));
        incoming.removeIf(it -> sets.isNo(it.packets()));
    }

    /** Returns the packets that pass with any route, whatever is not known about them. */
    private Integer passing(Optional<Exposure> anyRoute, Optional<StateLink> from) {
        if (anyRoute.isEmpty()) {
            return sets.yes();
        }
        List<Integer> passing = new ArrayList<>();
        anyRoute.get().outgoing.stream().filter(it -> it.from().equals(from)).forEach(it -> passing.add(it.packets()));
        anyRoute.get().incoming.stream()
                .filter(it -> from.equals(Optional.of(it.link())))
                .forEach(it -> passing.add(it.packets()));
        return all.withoutUnknowns(sets.anyOf(passing));
    }

    private void addOutgoing(Optional<StateLink> from, Departure<Integer> departure) {
        crossings.add(new Crossing(from, departure));
        for (StateLink link : routing.links()) {
            if (!link.isLoopback() && !inside.contains(link.name())) {
                Integer packets = path.leaving(departure, link);
                if (!sets.isNo(packets)) {
                    outgoing.add(new Outgoing(link, from, packets, departure.sent(), departure.steps()));
                }
            }
        }
    }

    /** The connection of a local packet either began with a local packet, or the packet is a reply. */
    private Integer localPackets() {
        Integer isFirst = isState(PacketState.NEW);
        Integer isFollowing = sets.or(sets.not(fields.isInbound()), fields.isReply());
        return sets.and(
                isPossibleState(),
                sets.choose(isFirst, sets.and(sets.not(fields.isReply()), sets.not(fields.isInbound())), isFollowing));
    }

    /** A packet from an uplink begins a connection from there, or belongs to one, or is a reply. */
    private Integer packetsFrom(StateLink link) {
        Integer isFirst = isState(PacketState.NEW);
        boolean isInside = inside.contains(link.name());
        Integer first =
                sets.and(sets.not(fields.isReply()), isInside ? sets.not(fields.isInbound()) : fields.isInbound());
        Integer following = isInside
                ? sets.or(sets.not(fields.isInbound()), fields.isReply())
                : sets.choose(fields.isInbound(), sets.yes(), fields.isReply());
        return sets.and(isPossibleState(), sets.choose(isFirst, first, following));
    }

    /**
     * The connection of a first packet has no mark yet. Packets that are not tracked have no connection, so neither a direction
     * nor a mark.
     */
    private Integer isPossibleState() {
        Integer isUnmarked = sets.equal(fields.connectionMark(), 0);
        Integer isFollowing = sets.or(isState(PacketState.ESTABLISHED), isState(PacketState.RELATED));
        Integer isFirst = sets.and(isState(PacketState.NEW), isUnmarked);
        Integer isWithout = sets.and(
                sets.or(isState(PacketState.INVALID), isState(PacketState.UNTRACKED)),
                sets.and(isUnmarked, sets.and(sets.not(fields.isReply()), sets.not(fields.isInbound()))));
        return sets.or(isFollowing, sets.or(isFirst, isWithout));
    }

    private Integer isState(int state) {
        return sets.equal(fields.connectionState(), state);
    }

    /** Finds the bits that rules set in the marks of these packets' connections. */
    private void learn(Integer packets, List<Integer> mark) {
        for (int bit = 0; bit < mark.size(); bit++) {
            Integer isSet = sets.and(
                    packets,
                    sets.and(mark.get(bit), sets.not(fields.connectionMark().get(bit))));
            if (!sets.isNo(sets.and(isSet, fields.isInbound()))) {
                inboundBits |= 1L << (mark.size() - 1 - bit);
            }
            if (!sets.isNo(sets.and(isSet, sets.not(fields.isInbound())))) {
                otherBits |= 1L << (mark.size() - 1 - bit);
            }
        }
    }

    private Integer possibleMarks() {
        return sets.choose(fields.isInbound(), hasOnly(inboundBits), hasOnly(otherBits));
    }

    private Integer hasOnly(long bits) {
        return sets.matches(fields.connectionMark(), new MaskedMark(0, ~bits & Marks.MAX));
    }

    public PacketSets sets() {
        return sets;
    }

    /** Returns the fields of the packets at the beginning of their path. */
    public PacketFields<Integer> fields() {
        return fields;
    }

    /** Returns the packets of sockets that are bound to their own source address. */
    public Integer isBoundToAddress() {
        return isBoundToAddress;
    }

    /** Returns the packets whose socket is bound to no link. */
    public Integer isBoundToNoLink() {
        return sets.equal(fields.boundLink(), 0);
    }

    public List<Outgoing> outgoing() {
        return List.copyOf(outgoing);
    }

    public List<Incoming> incoming() {
        return List.copyOf(incoming);
    }

    /** Returns all packets, which it is about. */
    AllPackets all() {
        return all;
    }

    List<Crossing> crossings() {
        return List.copyOf(crossings);
    }

    /** Returns the packets that leave through a link, also through an inner one. */
    Integer leaving(Crossing crossing, StateLink link) {
        return sets.and(path.leaving(crossing.departure(), link), possible);
    }

    /** Returns what was found in rulesets that is not modelled, in words: packets may leave by it. */
    public List<String> notes() {
        return path.notes();
    }

    /** Returns what was found in rules and routes that is not modelled; the packets that may leave by it are listed. */
    public List<String> routeNotes() {
        return path.routeNotes();
    }
}
