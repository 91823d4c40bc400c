// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.net.Family;
import io.culvert.net.MaskedMark;
import io.culvert.net.Prefix;
import io.culvert.packetpath.Logic;
import io.culvert.packetpath.PacketFields;
import io.culvert.packetpath.PacketPath.SentFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A kind of packets: all conditions hold, and none of the exceptions. An empty list is no condition. Addresses, protocol and
 * ports are those that a packet is sent or delivered with; the mark is that of its socket, because a rule may give a packet
 * another one.
 *
 * @param protocols IANA's numbers
 * @param originalDestinations addresses that a packet has before any is translated
 * @param icmpTypes of ICMP or ICMPv6
 * @param direction of the packet in its connection
 */
record TrafficPattern(
        List<Prefix> sources,
        List<Prefix> destinations,
        List<Prefix> originalDestinations,
        List<Integer> protocols,
        List<Integer> sourcePorts,
        List<Integer> destinationPorts,
        List<Integer> icmpTypes,
        Optional<MaskedMark> mark,
        Direction direction,
        List<TrafficPattern> exceptions) {

    /** The direction of packets in their connections. */
    enum Direction {
        ANY,
        /** A reply to the first packet of a connection, whoever sent that one. */
        REPLY,
        /** A reply to the first packet of a connection, which came in through an uplink. */
        REPLY_TO_UPLINK
    }

    /** The conditions by name. */
    static final class Conditions {
        List<Prefix> sources = List.of();
        List<Prefix> destinations = List.of();
        List<Prefix> originalDestinations = List.of();
        List<Integer> protocols = List.of();
        List<Integer> sourcePorts = List.of();
        List<Integer> destinationPorts = List.of();
        List<Integer> icmpTypes = List.of();
        Optional<MaskedMark> mark = Optional.empty();
        Direction direction = Direction.ANY;
        List<TrafficPattern> exceptions = List.of();

        private Conditions() {}
    }

    TrafficPattern {
        sources = List.copyOf(sources);
        destinations = List.copyOf(destinations);
        originalDestinations = List.copyOf(originalDestinations);
        protocols = List.copyOf(protocols);
        sourcePorts = List.copyOf(sourcePorts);
        destinationPorts = List.copyOf(destinationPorts);
        icmpTypes = List.copyOf(icmpTypes);
        exceptions = List.copyOf(exceptions);
    }

    /** Returns the packets that fulfil the conditions which {@code set} sets. */
    static TrafficPattern of(Consumer<Conditions> set) {
        Conditions conditions = new Conditions();
        set.accept(conditions);
        return new TrafficPattern(
                conditions.sources,
                conditions.destinations,
                conditions.originalDestinations,
                conditions.protocols,
                conditions.sourcePorts,
                conditions.destinationPorts,
                conditions.icmpTypes,
                conditions.mark,
                conditions.direction,
                conditions.exceptions);
    }

    /** Returns the packets with these ports; an empty list stands for any. */
    static TrafficPattern ports(int protocol, List<Integer> from, List<Integer> to) {
        return TrafficPattern.of(it -> {
            it.protocols = List.of(protocol);
            it.sourcePorts = from;
            it.destinationPorts = to;
        });
    }

    /** Returns the same packets except others. */
    TrafficPattern except(TrafficPattern exception) {
        List<TrafficPattern> all = new ArrayList<>(exceptions);
        all.add(exception);
        return new TrafficPattern(
                sources,
                destinations,
                originalDestinations,
                protocols,
                sourcePorts,
                destinationPorts,
                icmpTypes,
                mark,
                direction,
                all);
    }

    /**
     * Returns which packets these are.
     *
     * @param first the fields at the beginning of the path
     * @param last those when the packets are sent or delivered
     */
    <B> B matches(Logic<B> logic, PacketFields<B> first, SentFields<B> last) {
        B matches = switch (direction) {
            case ANY -> logic.yes();
            case REPLY -> first.isReply();
            case REPLY_TO_UPLINK -> logic.and(first.isReply(), first.isInbound());
        };
        if (mark.isPresent()) {
            matches = logic.and(matches, logic.matches(first.mark(), mark.get()));
        }
        matches = logic.and(matches, anyOf(logic, protocols, protocol -> logic.equal(last.protocol(), protocol)));
        if (!sourcePorts.isEmpty() || !destinationPorts.isEmpty() || !icmpTypes.isEmpty()) {
            // What is in the place of the ports in later fragments is something else.
            matches = logic.and(matches, logic.not(first.isLaterFragment()));
        }
        matches = logic.and(matches, anyOf(logic, sourcePorts, port -> logic.equal(last.sourcePort(), port)));
        matches = logic.and(matches, anyOf(logic, destinationPorts, port -> logic.equal(last.destinationPort(), port)));
        matches = logic.and(
                matches,
                anyOf(logic, icmpTypes, type -> logic.equal(last.sourcePort().subList(0, Byte.SIZE), type)));
        matches = logic.and(matches, within(logic, first.family(), last.destination(), destinations));
        matches = logic.and(matches, within(logic, first.family(), first.destination(), originalDestinations));
        matches = logic.and(matches, within(logic, first.family(), last.source(), sources));
        for (TrafficPattern exception : exceptions) {
            matches = logic.isNo(matches)
                    ? matches
                    : logic.and(matches, logic.not(exception.matches(logic, first, last)));
        }
        return matches;
    }

    private interface Condition<B> {
        B of(int value);
    }

    private static <B> B anyOf(Logic<B> logic, List<Integer> values, Condition<B> condition) {
        return values.isEmpty()
                ? logic.yes()
                : logic.anyOf(values.stream().map(condition::of).toList());
    }

    private static <B> B within(Logic<B> logic, Family family, List<B> address, List<Prefix> prefixes) {
        return prefixes.isEmpty()
                ? logic.yes()
                : logic.anyOf(prefixes.stream()
                        .filter(prefix -> prefix.family() == family)
                        .map(prefix -> logic.isIn(address, prefix))
                        .toList());
    }
}
