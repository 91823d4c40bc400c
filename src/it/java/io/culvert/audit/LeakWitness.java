// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.audit.Audit.Unpromised;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.KernelTable;
import io.culvert.packetpath.ExamplePacket;
import io.culvert.packetpath.ExamplePacket.Way;
import io.culvert.packetpath.Exposure;
import io.culvert.packetpath.PacketCase;
import io.culvert.packetpath.PacketCase.Kind;
import io.culvert.packetpath.PacketFields;
import io.culvert.packetpath.PacketPath;
import io.culvert.packetpath.PacketPath.Arrival;
import io.culvert.packetpath.PacketPath.Departure;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.packetpath.PacketSets;
import io.culvert.packetpath.PacketSets.Example;
import io.culvert.packetpath.Truth;
import io.culvert.rtnl.LookupRoute;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A packet that passes a namespace against a promise, and that a program can send as the first one of its connection: from a
 * socket, or from outside.
 *
 * @param packet how it is sent
 * @param link that it leaves or comes in by
 * @param isDelivered whether it comes in
 * @param isCertain whether the model leaves nothing open about it
 * @param sentence what it is
 */
record LeakWitness(PacketCase packet, String link, boolean isDelivered, boolean isCertain, String sentence) {

    /** Source ports, one for each packet, so that connection tracking takes each one for a connection of its own. */
    private static final int FIRST_PORT = 20_000;

    private static final int ANY_CHECKSUM = 0xfedc;

    /** Addresses that a socket does not send to as to others: of this machine, of several, or of a link that has to be named. */
    private static final List<Prefix> SPECIAL = Stream.of(
                    "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/8", "fe80::/10", "ff00::/8")
            .map(Prefix::parse)
            .toList();

    /** Finds one; empty if only later packets of connections pass, or others than a program can send so. */
    static Optional<LeakWitness> find(
            int number, Exposure exposure, RoutingState routing, List<KernelTable> tables, Unpromised found) {
        PacketSets sets = exposure.sets();
        Integer sendable = sets.and(found.packets(), sendable(exposure, routing, found.way()));
        Integer own = sets.and(sendable, sets.equal(exposure.fields().sourcePort(), FIRST_PORT + number));
        return ExamplePacket.find(exposure, routing, sets.isNo(own) ? sendable : own, found.way(), found.link())
                .map(example -> of(number, exposure, routing, tables, found, example));
    }

    /** Returns whether any of the packets is the first one of a connection. */
    static boolean hasFirstPacket(Exposure exposure, Unpromised found) {
        PacketSets sets = exposure.sets();
        return !sets.isNo(
                sets.and(found.packets(), sets.equal(exposure.fields().connectionState(), PacketFields.STATE_NEW)));
    }

    private static Integer sendable(Exposure exposure, RoutingState routing, Way way) {
        PacketSets sets = exposure.sets();
        PacketFields<Integer> fields = exposure.fields();
        Family family = fields.family();
        Integer isTcp = sets.and(sets.equal(fields.protocol(), PacketCase.TCP), sets.equal(fields.tcpFlags(), 2));
        Integer isUdp = sets.equal(fields.protocol(), PacketCase.UDP);
        Integer hasPorts =
                sets.not(sets.or(sets.equal(fields.sourcePort(), 0), sets.equal(fields.destinationPort(), 0)));
        // Type and code. The checksum, where others have the destination port, follows from the rest: it stands for all
        // that
        // no rule matches.
        Integer isEcho = sets.and(
                sets.and(
                        sets.equal(fields.protocol(), family == Family.IPV4 ? PacketCase.ICMP : PacketCase.ICMPV6),
                        sets.equal(fields.destinationPort(), ANY_CHECKSUM)),
                sets.equal(fields.sourcePort(), (family == Family.IPV4 ? 8 : 128) << Byte.SIZE));
        Integer isProtocol = sets.or(isEcho, sets.and(hasPorts, sets.or(isTcp, isUdp)));
        Integer isFirst = sets.and(
                sets.equal(fields.connectionState(), PacketFields.STATE_NEW),
                sets.and(sets.not(fields.isReply()), sets.not(fields.isLaterFragment())));
        List<Prefix> own = routing.addresses(family).stream()
                .map(address -> Prefix.host(address.address()))
                .filter(address -> SPECIAL.stream().noneMatch(special -> special.contains(address)))
                .toList();
        Integer isOwn = within(sets, fields.source(), own);
        // The model sends packets to anycast addresses out, which holds for added ones; to those of the kernel's own it
        // does not.
        List<Prefix> special = Stream.concat(
                        SPECIAL.stream(),
                        routing.routes().stream()
                                .filter(route -> route.kind() == LookupRoute.Kind.BROADCAST)
                                .map(LookupRoute::destination))
                .toList();
        Integer isOrdinary = sets.not(within(sets, fields.destination(), special));
        Integer isSource = way == Way.SENT
                ? sets.and(isOwn, exposure.isBoundToAddress())
                : sets.not(sets.or(isOwn, within(sets, fields.source(), SPECIAL)));
        return sets.and(
                sets.and(isProtocol, isFirst),
                sets.and(
                        sets.and(isSource, isOrdinary),
                        sets.and(
                                sets.equal(fields.user(), 0),
                                way == Way.SENT
                                        ? sets.yes()
                                        : sets.and(sets.equal(fields.mark(), 0), exposure.isBoundToNoLink()))));
    }

    private static Integer within(PacketSets sets, List<Integer> address, List<Prefix> prefixes) {
        return sets.anyOf(prefixes.stream()
                .filter(prefix -> prefix.family().bits() == address.size())
                .map(prefix -> sets.isIn(address, prefix))
                .toList());
    }

    private static LeakWitness of(
            int number,
            Exposure exposure,
            RoutingState routing,
            List<KernelTable> tables,
            Unpromised found,
            Example example) {
        ExamplePacket packet = ExamplePacket.of(exposure, routing, example, found.last());
        boolean isSent = found.way() == Way.SENT;
        boolean isEcho = packet.protocol() != PacketCase.TCP && packet.protocol() != PacketCase.UDP;
        String arrival = found.way() == Way.RECEIVED
                ? found.link()
                : found.from().orElse(packet.boundLink().orElse(""));
        return new LeakWitness(
                new PacketCase(
                        number,
                        !isSent ? Kind.RECEIVED : packet.protocol() == PacketCase.TCP ? Kind.CONNECTED : Kind.SENT,
                        exposure.fields().family(),
                        packet.protocol(),
                        Optional.of(Prefix.text(packet.source())),
                        Prefix.text(packet.destination()),
                        isEcho ? FIRST_PORT + number : packet.firstPort(),
                        isEcho ? 0 : packet.secondPort(),
                        packet.mark(),
                        arrival.isEmpty() ? Optional.empty() : Optional.of(arrival),
                        0),
                found.link(),
                found.way() == Way.RECEIVED,
                isCertain(exposure, routing, tables, found, example),
                found.sentence(packet));
    }

    /** Follows it alone, with what is not known left open. */
    private static boolean isCertain(
            Exposure exposure, RoutingState routing, List<KernelTable> tables, Unpromised found, Example example) {
        PacketPath<Truth> path = new PacketPath<>(Truth.LOGIC, routing, tables, Layers.BOTH);
        PacketFields<Truth> fields = exposure.fields().map(bit -> Truth.of(example.value(bit)));
        Function<String, StateLink> link = name -> routing.links().stream()
                .filter(it -> it.name().equals(name))
                .findFirst()
                .orElseThrow();
        StateLink to = link.apply(found.link());
        if (found.way() == Way.SENT) {
            return path.send(fields, Truth.YES, Truth.of(example.value(exposure.isBoundToAddress()))).stream()
                    .anyMatch(departure -> leaves(path, departure, to));
        }
        List<Arrival<Truth>> arrivals =
                path.receive(fields, link.apply(found.from().orElse(found.link())), Truth.YES);
        return arrivals.stream()
                .anyMatch(arrival -> found.way() == Way.RECEIVED
                        ? arrival.delivered() == Truth.YES
                        : leaves(path, arrival.forwarded(), to));
    }

    private static boolean leaves(PacketPath<Truth> path, Departure<Truth> departure, StateLink link) {
        return path.leaving(departure, link) == Truth.YES;
    }
}
