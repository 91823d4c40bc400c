// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.KernelTable;
import io.culvert.packetpath.PacketPath.Arrival;
import io.culvert.packetpath.PacketPath.Departure;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/** What the model says about packets in one namespace: about each alone, and about all of them at once. */
final class Prediction {

    /** Of a packet: whether it leaves by each link, and whether this machine gets it. */
    record Verdict(Map<String, Truth> links, Truth delivered, List<Step<Truth>> steps, List<String> notes) {

        boolean isUncertain() {
            return links.containsValue(Truth.MAYBE);
        }
    }

    private final RoutingState routing;
    private final List<KernelTable> tables;
    private final Map<Family, AllPackets> sent = new HashMap<>();
    private final Map<String, AllPackets> received = new HashMap<>();

    Prediction(RoutingState routing, List<KernelTable> tables) {
        this.routing = routing;
        this.tables = tables;
    }

    private StateLink link(String name) {
        return routing.links().stream()
                .filter(link -> link.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Evaluates one packet. */
    Verdict verdict(PacketCase packet, PacketExchange.Outcome outcome) {
        Logic<Truth> logic = Truth.LOGIC;
        PacketPath<Truth> path = new PacketPath<>(logic, routing, tables, Layers.BOTH);
        Fields fields = new Fields(
                packet,
                outcome,
                path.linkBits(),
                packet.link().map(this::link).map(path::link).orElse(0));
        List<Departure<Truth>> departures;
        Truth delivered = Truth.NO;
        if (packet.kind() == PacketCase.Kind.RECEIVED) {
            departures = new ArrayList<>();
            for (var arrival :
                    path.receive(fields.concrete(), link(packet.link().orElseThrow()), Truth.YES)) {
                departures.add(arrival.forwarded());
                delivered = logic.or(delivered, arrival.delivered());
            }
        } else {
            departures = path.send(
                    fields.concrete(),
                    Truth.YES,
                    Truth.of(packet.source().isPresent()),
                    Truth.of(packet.kind() == PacketCase.Kind.CONNECTED && packet.family() == Family.IPV4));
        }
        Map<String, Truth> links = new HashMap<>();
        for (String name : RandomNamespace.LINKS) {
            links.put(
                    name,
                    logic.anyOf(departures.stream()
                            .map(departure -> path.leaving(departure, link(name)))
                            .toList()));
        }
        return new Verdict(links, delivered, departures.getLast().steps(), path.notes());
    }

    /** Returns whether the packet is among those that leave by the link. */
    boolean mayLeave(PacketCase packet, PacketExchange.Outcome outcome, String link) {
        AllPackets all = packet.kind() == PacketCase.Kind.RECEIVED
                ? received.computeIfAbsent(
                        packet.family() + packet.link().orElseThrow(),
                        _ -> new AllPackets(packet.family(), packet.link()))
                : sent.computeIfAbsent(packet.family(), family -> new AllPackets(family, Optional.empty()));
        return all.mayLeave(packet, outcome, link);
    }

    /** All packets of local processes, or all that come in by a link. */
    private final class AllPackets {

        private final PacketSets sets = new PacketSets();
        private final PacketPath<Integer> path = new PacketPath<>(sets, routing, tables, Layers.BOTH);
        private final PacketFields<Integer> any;
        private final List<Departure<Integer>> departures;
        private final Map<String, Integer> byLink = new HashMap<>();

        AllPackets(Family family, Optional<String> from) {
            any = PacketFields.any(sets, family, path.linkBits());
            departures = from.isPresent()
                    ? path.receive(any, link(from.get()), sets.yes()).stream()
                            .map(Arrival::forwarded)
                            .toList()
                    : path.send(any, sets.yes(), sets.unknown());
        }

        boolean mayLeave(PacketCase packet, PacketExchange.Outcome outcome, String link) {
            Fields fields = new Fields(
                    packet,
                    outcome,
                    path.linkBits(),
                    packet.link().map(Prediction.this::link).map(path::link).orElse(0));
            Integer these = byLink.computeIfAbsent(
                    link,
                    name -> sets.anyOf(departures.stream()
                            .map(departure -> path.leaving(departure, Prediction.this.link(name)))
                            .toList()));
            PacketFields<Truth> concrete = fields.concrete();
            Map<Integer, Truth> values = new HashMap<>();
            put(values, any.protocol(), concrete.protocol());
            put(values, List.of(any.isReply()), List.of(concrete.isReply()));
            put(values, any.connectionState(), concrete.connectionState());
            put(values, List.of(any.isLaterFragment()), List.of(concrete.isLaterFragment()));
            put(values, any.boundLink(), concrete.boundLink());
            put(values, any.mark(), concrete.mark());
            put(values, any.connectionMark(), concrete.connectionMark());
            put(values, any.ports(), concrete.ports());
            put(values, any.tcpFlags(), concrete.tcpFlags());
            put(values, any.destination(), concrete.destination());
            put(values, any.source(), concrete.source());
            put(values, any.user(), concrete.user());
            return sets.in(Truth.LOGIC, these, variable -> values.getOrDefault(variable, Truth.MAYBE)) != Truth.NO;
        }

        private void put(Map<Integer, Truth> values, List<Integer> bits, List<Truth> of) {
            for (int i = 0; i < bits.size(); i++) {
                values.put(bits.get(i), of.get(i));
            }
        }
    }

    /**
     * The fields of a packet.
     *
     * @param link the number of the link that the socket is bound to
     */
    private record Fields(PacketCase packet, PacketExchange.Outcome outcome, int linkBits, int link) {

        PacketFields<Truth> concrete() {
            Logic<Truth> logic = Truth.LOGIC;
            boolean isIcmp = packet.protocol() == PacketCase.ICMP || packet.protocol() == PacketCase.ICMPV6;
            List<Truth> source = packet.source()
                    .map(Prefix::parseAddress)
                    .or(outcome::source)
                    .map(address -> logic.constant(address.getAddress()))
                    .orElseGet(() -> logic.unknown(packet.family().bits()));
            List<Truth> ports = new ArrayList<>();
            if (isIcmp) {
                byte[] request = PacketExchange.echoRequest(packet);
                ports.addAll(logic.constant(new byte[] {request[0], request[1]}));
                ports.addAll(
                        packet.protocol() == PacketCase.ICMP
                                ? logic.constant(new byte[] {request[2], request[3]})
                                : logic.unknown(16));
            } else {
                ports.addAll(logic.constant(packet.sourcePort(), 16));
                ports.addAll(logic.constant(packet.destinationPort(), 16));
            }
            return new PacketFields<>(
                    packet.family(),
                    source,
                    logic.constant(Prefix.parseAddress(packet.destination()).getAddress()),
                    logic.constant(packet.protocol(), 8),
                    ports,
                    packet.protocol() == PacketCase.TCP ? logic.constant(2, 8) : logic.unknown(8),
                    logic.constant(packet.mark(), 32),
                    packet.kind() == PacketCase.Kind.RECEIVED ? logic.zero(linkBits) : logic.constant(link, linkBits),
                    Truth.NO,
                    logic.constant(PacketState.NEW, PacketState.STATE_BITS),
                    logic.zero(32),
                    Truth.NO,
                    Truth.NO,
                    logic.constant(packet.user(), 32));
        }
    }

    /** Formats the decisions, each on a line. */
    static String text(Verdict verdict) {
        StringJoiner text = new StringJoiner("\n");
        text.add("leaves: " + verdict.links() + ", delivered: " + verdict.delivered());
        verdict.steps().forEach(step -> {
            if (step.packets() != Truth.NO) {
                text.add("  " + step.packets() + ' ' + step.where() + ": " + step.what() + ": " + step.effect());
            }
        });
        verdict.notes().forEach(text::add);
        return text.toString();
    }
}
