// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.nft.KernelTable;
import io.culvert.packetpath.RouteEvaluator.Query;
import io.culvert.packetpath.RouteEvaluator.Result;
import io.culvert.packetpath.RulesetEvaluator.Hook;
import io.culvert.packetpath.RulesetEvaluator.Outcome;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The path of packets through a network namespace: routing rules and tables, the hooks of nftables, and routing again where
 * something was changed. Describes the kernel (net/ipv4/route.c, net/ipv6/ip6_output.c, net/netfilter) as of Linux 6.1 to
 * 6.18. What is not modelled counts as passing.
 *
 * @param <B> a proposition about the packets at the beginning of their path
 */
public final class PacketPath<B> {

    /** Which of the layers decide. Each is to hold by itself: then the other one passes everything. */
    public enum Layers {
        BOTH,
        ROUTING,
        FIREWALL
    }

    /**
     * A packet that leaves through a link.
     *
     * @param packets which do
     * @param link its number, see {@link #link}
     * @param sent the fields that it is sent with, before its source address may be translated
     * @param lastConnectionMark the mark of its connection afterwards, also of packets that are dropped on the way
     * @param steps the decisions on the way, in order
     */
    public record Departure<B>(
            B packets, List<B> link, SentFields<B> sent, List<B> lastConnectionMark, List<Step<B>> steps) {

        public Departure {
            steps = List.copyOf(steps);
        }
    }

    /** The fields of a packet when it is sent. */
    public record SentFields<B>(
            List<B> source,
            List<B> destination,
            List<B> protocol,
            List<B> sourcePort,
            List<B> destinationPort,
            List<B> mark,
            List<B> connectionMark) {

        private static <B> SentFields<B> of(PacketState<B> packet) {
            return new SentFields<>(
                    packet.source(),
                    packet.destination(),
                    packet.protocol(),
                    packet.sourcePort(),
                    packet.destinationPort(),
                    packet.mark(),
                    packet.connectionMark());
        }
    }

    /**
     * What happens to packets that come in through a link.
     *
     * @param delivered which a local process or the kernel itself gets
     * @param deliveredFields their fields then
     * @param forwarded which leave again
     */
    public record Arrival<B>(B delivered, SentFields<B> deliveredFields, Departure<B> forwarded) {}

    private final Logic<B> logic;
    private final RoutingState routing;
    private final Links links;
    private final Notes notes = new Notes();
    private List<Step<B>> steps = new ArrayList<>();
    private final RulesetEvaluator<B> ruleset;
    private final RouteEvaluator<B> routes;
    private final Layers layers;

    public PacketPath(Logic<B> logic, RoutingState routing, List<KernelTable> tables, Layers layers) {
        this.logic = logic;
        this.routing = routing;
        this.layers = layers;
        links = new Links(routing);
        Consumer<Step<B>> trace = step -> steps.add(step);
        ruleset = new RulesetEvaluator<>(logic, layers == Layers.ROUTING ? List.of() : tables, links, notes, trace);
        routes = new RouteEvaluator<>(logic, routing, links, notes, trace);
    }

    /** Returns how many bits number a link. */
    public int linkBits() {
        return links.bits();
    }

    /** Returns the number that stands for a link; 0 for none. */
    public int link(StateLink link) {
        return links.number(link);
    }

    /** Returns what was found that is not modelled, in words. */
    public List<String> notes() {
        return notes.all();
    }

    /**
     * Follows packets of local processes and of the kernel itself.
     *
     * @param packets which of them
     * @param hasOwnAddress where the socket is bound to the packet's source address; elsewhere the kernel looks up the route
     *     first, without it
     * @return packets with a translated destination are apart. The same packet may be in several, as what is translated may
     *     not be known
     */
    public List<Departure<B>> send(PacketFields<B> fields, B packets, B hasOwnAddress) {
        steps = new ArrayList<>();
        PacketState<B> packet = new PacketState<>(logic, fields, links.bits(), true);
        B candidates = logic.and(packets, links.isLinkOrNone(logic, fields.boundLink()));
        packet.setInputLink(loopback());
        Result<B> route = route(packet, fields.boundLink(), candidates, hasOwnAddress);
        packet.setInputLink(logic.zero(links.bits()));
        packet.setOutputLink(logic.choose(route.delivered(), loopback(), route.link()));
        B routed = logic.and(candidates, logic.or(route.sent(), route.delivered()));
        List<Departure<B>> departures = new ArrayList<>();
        for (Outcome<B> output : ruleset.evaluate(Hook.OUTPUT, packet, routed, candidates)) {
            B isRerouted = output.isRerouted();
            List<B> link = output.packet().outputLink();
            B sent = route.sent();
            if (!logic.isNo(isRerouted)) {
                output.packet().setInputLink(loopback());
                Result<B> again = layers == Layers.FIREWALL
                        ? anywhere(output.packet(), isRerouted)
                        : lookUp(output.packet(), output.packet().source(), fields.boundLink(), isRerouted);
                output.packet().setInputLink(logic.zero(links.bits()));
                link = logic.choose(isRerouted, again.link(), link);
                sent = logic.choose(isRerouted, again.sent(), sent);
            }
            departures.add(depart(output.packet(), link, logic.and(output.accepted(), sent), candidates));
        }
        return departures;
    }

    private List<B> loopback() {
        return links.loopback().map(link -> links.constant(logic, link)).orElseGet(() -> logic.zero(links.bits()));
    }

    /**
     * Follows packets that come in through a link.
     *
     * @return packets with a translated destination are apart
     */
    public List<Arrival<B>> receive(PacketFields<B> fields, StateLink from, B packets) {
        steps = new ArrayList<>();
        PacketState<B> arriving = new PacketState<>(logic, fields, links.bits(), false);
        arriving.setInputLink(links.constant(logic, from));
        List<Arrival<B>> arrivals = new ArrayList<>();
        for (Outcome<B> prerouted : ruleset.evaluate(Hook.PREROUTING, arriving, packets, packets)) {
            PacketState<B> packet = prerouted.packet();
            Result<B> route = layers == Layers.FIREWALL
                    ? anywhere(packet, prerouted.accepted())
                    : lookUp(packet, packet.source(), logic.zero(links.bits()), prerouted.accepted());
            B delivered = last(ruleset.evaluate(
                            Hook.INPUT, packet, logic.and(prerouted.accepted(), route.delivered()), packets))
                    .accepted();
            SentFields<B> deliveredFields = SentFields.of(packet);
            packet.setOutputLink(route.link());
            B forwarded = last(ruleset.evaluate(
                            Hook.FORWARD, packet, logic.and(prerouted.accepted(), route.sent()), packets))
                    .accepted();
            arrivals.add(new Arrival<>(delivered, deliveredFields, depart(packet, route.link(), forwarded, packets)));
        }
        return arrivals;
    }

    /** Returns the only outcome of a hook at which no destination is translated. */
    private Outcome<B> last(List<Outcome<B>> outcomes) {
        return outcomes.getLast();
    }

    private Departure<B> depart(PacketState<B> packet, List<B> link, B packets, B possible) {
        packet.setOutputLink(link);
        B isLink = logic.no();
        for (StateLink candidate : links.all()) {
            isLink = logic.or(isLink, links.is(logic, link, candidate));
        }
        SentFields<B> sent = SentFields.of(packet);
        B departing = last(ruleset.evaluate(Hook.POSTROUTING, packet, logic.and(packets, isLink), possible))
                .accepted();
        return new Departure<>(departing, link, sent, packet.connectionMark(), steps);
    }

    private Result<B> route(PacketState<B> packet, List<B> boundLink, B packets, B hasOwnAddress) {
        if (layers == Layers.FIREWALL) {
            return anywhere(packet, packets);
        }
        Family family = packet.family();
        B without = logic.not(hasOwnAddress);
        // Both for all packets: the results are then simple, and the same where it does not matter which one is used.
        Result<B> first = lookUp(packet, logic.zero(family.bits()), boundLink, logic.yes());
        Result<B> second = lookUp(packet, packet.source(), boundLink, logic.yes());
        // A connected socket looks up a second time; IPv6 does so where the first lookup found nothing.
        B isFound = logic.or(first.sent(), first.delivered());
        B isRepeated = family == Family.IPV6
                ? logic.or(logic.not(isFound), logic.unknown())
                : logic.and(isFound, logic.unknown());
        B isSecond = logic.or(hasOwnAddress, logic.and(without, isRepeated));
        Result<B> result = new Result<>(
                logic.choose(isSecond, second.link(), first.link()),
                logic.and(packets, logic.choose(isSecond, second.delivered(), first.delivered())),
                logic.and(packets, logic.choose(isSecond, second.sent(), first.sent())));
        return family == Family.IPV4 ? specialIpv4(packet, boundLink, packets, result) : result;
    }

    private Result<B> lookUp(PacketState<B> packet, List<B> source, List<B> boundLink, B packets) {
        return routes.lookUp(Query.of(packet, source, boundLink, packet.hasSocket()), packets);
    }

    /**
     * What IPv4 does without a route (ip_route_output_key_hash_rcu): a socket that is bound to a link reaches everything there;
     * multicast and broadcast leave through the link with the source address.
     */
    private Result<B> specialIpv4(PacketState<B> packet, List<B> boundLink, B packets, Result<B> found) {
        B isBound = logic.and(packets, logic.not(logic.equal(boundLink, 0)));
        B isRouted = logic.or(found.sent(), found.delivered());
        B onLink = logic.and(isBound, logic.not(isRouted));
        List<B> link = logic.choose(onLink, boundLink, found.link());
        B sent = logic.or(found.sent(), onLink);
        B isMulticast = logic.or(
                logic.hasPrefix(packet.destination(), new byte[] {(byte) 224}, 4),
                logic.hasPrefix(packet.destination(), new byte[] {-1, -1, -1, -1}, 32));
        B special = logic.and(packets, isMulticast);
        if (logic.isNo(special)) {
            return new Result<>(link, found.delivered(), sent);
        }
        // To the bound link without a lookup, else to that of the source address if it is one, else as found.
        B direct = logic.and(special, isBound);
        link = logic.choose(direct, boundLink, link);
        sent = logic.or(sent, direct);
        B delivered = logic.and(found.delivered(), logic.not(direct));
        for (var address : routing.addresses()) {
            if (address.address().family() == Family.IPV4) {
                var owner = links.byName(address.link());
                B isSource = logic.and(
                        logic.and(special, logic.not(isBound)),
                        logic.and(
                                logic.hasPrefix(
                                        packet.source(),
                                        address.address().address().getAddress(),
                                        32),
                                logic.unknown()));
                if (owner.isPresent() && !owner.get().isLoopback() && !logic.isNo(isSource)) {
                    link = logic.choose(isSource, links.constant(logic, owner.get()), link);
                    sent = logic.or(sent, isSource);
                    delivered = logic.and(delivered, logic.not(isSource));
                }
            }
        }
        return new Result<>(link, delivered, sent);
    }

    /** Returns any result: through any link, or to this machine. */
    private Result<B> anywhere(PacketState<B> packet, B packets) {
        B isDelivered = logic.unknown();
        List<B> link = logic.unknown(packet.linkBits());
        return new Result<>(
                logic.choose(logic.and(packets, logic.not(isDelivered)), link, logic.zero(packet.linkBits())),
                logic.and(packets, isDelivered),
                logic.and(packets, logic.not(isDelivered)));
    }
}
