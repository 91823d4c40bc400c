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
     * @param link for each link, whether it is this one
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
            List<B> source, List<B> destination, List<B> protocol, List<B> sourcePort, List<B> destinationPort) {

        private static <B> SentFields<B> of(PacketState<B> packet) {
            return new SentFields<>(
                    packet.source(),
                    packet.destination(),
                    packet.protocol(),
                    packet.sourcePort(),
                    packet.destinationPort());
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
    private final Notes routeNotes = new Notes();
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
        routes = new RouteEvaluator<>(logic, routing, links, routeNotes, trace);
    }

    /** Returns how many bits number a link. */
    public int linkBits() {
        return links.bits();
    }

    /** Returns the number that stands for a link; 0 for none. */
    public int link(StateLink link) {
        return links.number(link);
    }

    /** Returns the packets of a departure that leave through this link. */
    public B leaving(Departure<B> departure, StateLink link) {
        return logic.and(departure.packets(), links.is(departure.link(), link));
    }

    /** Returns what was found in rulesets that is not modelled, in words. It may let packets out that are not listed. */
    public List<String> notes() {
        return notes.all();
    }

    /** Returns what was found in rules and routes that is not modelled, in words; packets may leave by it through any link. */
    public List<String> routeNotes() {
        return routeNotes.all();
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
        return send(fields, packets, hasOwnAddress, logic.unknown());
    }

    /**
     * Follows packets of local processes and of the kernel itself.
     *
     * @param isLookedUpTwice where the route is looked up again with the address that the first lookup gave: for IPv4, that is
     *     where a socket is connected
     */
    public List<Departure<B>> send(PacketFields<B> fields, B packets, B hasOwnAddress, B isLookedUpTwice) {
        steps = new ArrayList<>();
        PacketState<B> packet = new PacketState<>(logic, fields, links, true);
        B candidates = logic.and(packets, links.isLinkOrNone(logic, fields.boundLink()));
        List<B> boundLink = links.numbered(logic, fields.boundLink());
        packet.setInputLink(loopback());
        Result<B> route = route(packet, boundLink, candidates, hasOwnAddress, isLookedUpTwice);
        packet.setInputLink(links.none(logic));
        packet.setOutputLink(logic.choose(route.delivered(), loopback(), route.link()));
        B routed = logic.and(candidates, logic.or(route.sent(), route.delivered()));
        List<Departure<B>> departures = new ArrayList<>();
        Outcome<B> start = new Outcome<>(packet, routed, route);
        for (Outcome<B> output :
                ruleset.evaluate(Hook.OUTPUT, start, (outcome, changed) -> reroute(outcome, changed, boundLink))) {
            B sent = logic.and(output.accepted(), output.route().sent());
            departures.add(depart(output.packet(), output.route().link(), sent));
        }
        return departures;
    }

    /**
     * Looks up a route once more, with the link of the socket: in IPv4 as for root (ip_route_me_harder), in IPv6 as for the
     * socket's user (ip6_route_me_harder). Rules of the same hook go on seeing the first link.
     */
    private Outcome<B> reroute(Outcome<B> outcome, B changed, List<B> boundLink) {
        PacketState<B> packet = outcome.packet();
        packet.setInputLink(loopback());
        Result<B> again;
        if (layers == Layers.FIREWALL) {
            again = anywhere(changed);
        } else if (packet.family() == Family.IPV4) {
            List<B> root = logic.zero(Integer.SIZE);
            Result<B> found = routes.lookUp(Query.of(packet, packet.source(), root, boundLink, true), changed);
            again = specialIpv4(packet, boundLink, changed, found, true);
        } else {
            again = lookUp(packet, packet.source(), boundLink, changed);
        }
        packet.setInputLink(links.none(logic));
        Result<B> before = outcome.route();
        B others = logic.not(changed);
        Result<B> route = logic.isNo(logic.and(outcome.accepted(), others))
                ? again
                : new Result<>(
                        logic.choose(changed, again.link(), before.link()),
                        logic.or(logic.and(before.delivered(), others), again.delivered()),
                        logic.or(logic.and(before.sent(), others), again.sent()));
        B isRouted = logic.or(others, logic.or(again.sent(), again.delivered()));
        return new Outcome<>(packet, logic.and(outcome.accepted(), isRouted), route);
    }

    private List<B> loopback() {
        return links.loopback().map(link -> links.only(logic, link)).orElseGet(() -> links.none(logic));
    }

    /**
     * Follows packets that come in through a link.
     *
     * @return packets with a translated destination are apart
     */
    public List<Arrival<B>> receive(PacketFields<B> fields, StateLink from, B packets) {
        steps = new ArrayList<>();
        PacketState<B> arriving = new PacketState<>(logic, fields, links, false);
        arriving.setInputLink(links.only(logic, from));
        List<Arrival<B>> arrivals = new ArrayList<>();
        B accepted = logic.and(packets, isAccepted(arriving, from));
        for (Outcome<B> prerouted : ruleset.evaluate(Hook.PREROUTING, arriving, accepted)) {
            PacketState<B> packet = prerouted.packet();
            Result<B> route =
                    layers == Layers.FIREWALL ? anywhere(prerouted.accepted()) : arrive(packet, prerouted.accepted());
            B delivered = last(ruleset.evaluate(Hook.INPUT, packet, logic.and(prerouted.accepted(), route.delivered())))
                    .accepted();
            SentFields<B> deliveredFields = SentFields.of(packet);
            packet.setOutputLink(route.link());
            B forwarded = last(ruleset.evaluate(Hook.FORWARD, packet, logic.and(prerouted.accepted(), route.sent())))
                    .accepted();
            arrivals.add(new Arrival<>(delivered, deliveredFields, depart(packet, route.link(), forwarded)));
        }
        return arrivals;
    }

    /** IPv6 drops packets with the loopback address from outside before anything else (ip6_rcv_core). */
    private B isAccepted(PacketState<B> packet, StateLink from) {
        if (packet.family() == Family.IPV4 || from.isLoopback()) {
            return logic.yes();
        }
        return logic.not(logic.or(logic.equal(packet.source(), 1), logic.equal(packet.destination(), 1)));
    }

    /**
     * Routes packets from outside. In IPv4 (ip_route_input_rcu, ip_route_input_slow), multicast and broadcast are for this
     * machine only, as no daemon routes multicast, and net.ipv4.conf.*.bc_forwarding is 0; whether loopback addresses are
     * accepted depends on net.ipv4.conf.*.route_localnet. In IPv6, only the route decides, which may forward multicast.
     */
    private Result<B> arrive(PacketState<B> packet, B packets) {
        if (packet.family() == Family.IPV6) {
            return lookUp(packet, packet.source(), links.none(logic), packets);
        }
        B isMulticast = logic.hasPrefix(packet.destination(), new byte[] {(byte) 224}, 4);
        B isBroadcast = logic.hasPrefix(packet.destination(), new byte[] {-1, -1, -1, -1}, 32);
        B isLoopback = logic.or(
                logic.hasPrefix(packet.source(), new byte[] {127}, 8),
                logic.hasPrefix(packet.destination(), new byte[] {127}, 8));
        B routed = logic.and(
                logic.and(packets, logic.not(logic.or(isMulticast, isBroadcast))),
                logic.or(logic.not(isLoopback), logic.unknown()));
        Result<B> found = lookUp(packet, packet.source(), links.none(logic), routed);
        B special = logic.or(logic.and(isMulticast, logic.unknown()), isBroadcast);
        return new Result<>(found.link(), logic.or(found.delivered(), logic.and(packets, special)), found.sent());
    }

    /** Returns the only outcome of a hook at which no destination is translated. */
    private Outcome<B> last(List<Outcome<B>> outcomes) {
        return outcomes.getLast();
    }

    private Departure<B> depart(PacketState<B> packet, List<B> link, B packets) {
        packet.setOutputLink(link);
        B isLink = logic.anyOf(link);
        SentFields<B> sent = SentFields.of(packet);
        B departing = last(ruleset.evaluate(Hook.POSTROUTING, packet, logic.and(packets, isLink)))
                .accepted();
        return new Departure<>(departing, link, sent, packet.connectionMark(), steps);
    }

    private Result<B> route(PacketState<B> packet, List<B> boundLink, B packets, B hasOwnAddress, B isLookedUpTwice) {
        if (layers == Layers.FIREWALL) {
            return anywhere(packets);
        }
        Family family = packet.family();
        B without = logic.not(hasOwnAddress);
        // Both for all packets: the results are then simple, and the same where it does not matter which one is used.
        Result<B> first = lookUp(packet, logic.zero(family.bits()), boundLink, logic.yes());
        Result<B> second = lookUp(packet, packet.source(), boundLink, logic.yes());
        if (family == Family.IPV4) {
            first = specialIpv4(packet, boundLink, logic.yes(), first, false);
            second = specialIpv4(packet, boundLink, logic.yes(), second, true);
        }
        // A connected socket looks up a second time; IPv6 does so where the first lookup found nothing.
        B isFound = logic.or(first.sent(), first.delivered());
        B isRepeated = family == Family.IPV6
                ? logic.or(logic.not(isFound), isLookedUpTwice)
                : logic.and(isFound, isLookedUpTwice);
        B isSecond = logic.or(hasOwnAddress, logic.and(without, isRepeated));
        return new Result<>(
                logic.choose(isSecond, second.link(), first.link()),
                logic.and(packets, logic.choose(isSecond, second.delivered(), first.delivered())),
                logic.and(packets, logic.choose(isSecond, second.sent(), first.sent())));
    }

    private Result<B> lookUp(PacketState<B> packet, List<B> source, List<B> boundLink, B packets) {
        List<B> user = packet.hasSocket() ? packet.user() : logic.zero(Integer.SIZE);
        return routes.lookUp(Query.of(packet, source, user, boundLink, packet.hasSocket()), packets);
    }

    /**
     * What IPv4 does without a route (ip_route_output_key_hash_rcu): a socket that is bound to a link reaches everything there;
     * multicast and broadcast leave through the link with the source address.
     *
     * @param hasSource whether the source address is known at the lookup
     */
    private Result<B> specialIpv4(
            PacketState<B> packet, List<B> boundLink, B packets, Result<B> found, boolean hasSource) {
        // A socket that is bound to a link that is down reaches nothing.
        B isBound = logic.and(
                packets,
                logic.anyOf(links.all().stream()
                        .filter(StateLink::isUp)
                        .map(link -> links.is(boundLink, link))
                        .toList()));
        B isRouted = logic.or(found.sent(), found.delivered());
        B onLink = logic.and(isBound, logic.not(isRouted));
        List<B> link = logic.choose(onLink, boundLink, found.link());
        // From a loopback address only with net.ipv4.conf.*.route_localnet (__mkroute_output).
        B mayBeSent = hasSource
                ? logic.or(logic.not(logic.hasPrefix(packet.source(), new byte[] {127}, 8)), logic.unknown())
                : logic.yes();
        B sent = logic.and(logic.or(found.sent(), onLink), mayBeSent);
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
            if (hasSource && address.address().family() == Family.IPV4) {
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
                    link = logic.choose(isSource, links.only(logic, owner.get()), link);
                    sent = logic.or(sent, isSource);
                    delivered = logic.and(delivered, logic.not(isSource));
                }
            }
        }
        return new Result<>(link, delivered, sent);
    }

    /** Returns any result: through any link, or to this machine. */
    private Result<B> anywhere(B packets) {
        B isDelivered = logic.unknown();
        List<B> link = links.unknown(logic);
        return new Result<>(
                logic.choose(logic.and(packets, logic.not(isDelivered)), link, links.none(logic)),
                logic.and(packets, isDelivered),
                logic.and(packets, logic.not(isDelivered)));
    }
}
