// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.packetpath.PacketPath.SentFields;
import io.culvert.packetpath.PacketSets.Example;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * One packet of a set, as it is at the beginning of its path.
 *
 * @param protocol IANA's number
 * @param firstPort the source port, or ICMP's type and code
 * @param secondPort the destination port, or ICMP's checksum
 * @param mark of the socket
 * @param boundLink the link that the socket is bound to; empty for none
 * @param isNew whether it is the first packet of its connection
 * @param lastDestination the destination that it is sent to in the end, with {@code lastPort}
 */
public record ExamplePacket(
        InetAddress source,
        InetAddress destination,
        int protocol,
        int firstPort,
        int secondPort,
        long mark,
        Optional<String> boundLink,
        boolean isNew,
        boolean isReply,
        boolean isInbound,
        boolean isLaterFragment,
        InetAddress lastDestination,
        int lastPort) {

    private static final int TCP = Transport.TCP.number();
    private static final int UDP = Transport.UDP.number();
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;
    private static final int EXAMPLE_PORT = 443;
    private static final int EXAMPLE_SOURCE_PORT = 40_000;

    /** How packets pass this machine. */
    public enum Way {
        SENT,
        FORWARDED,
        RECEIVED
    }

    private static final List<Prefix> SOURCES =
            Stream.of("198.51.100.7/32", "2001:db8:7::7/128").map(Prefix::parse).toList();

    /** Destinations of examples: documentation addresses, else others that are public. */
    private static final List<Prefix> DESTINATIONS = Stream.of(
                    "203.0.113.9/32",
                    "203.0.113.0/24",
                    "0.0.0.0/1",
                    "128.0.0.0/2",
                    "192.0.0.0/3",
                    "2001:db8:9::9/128",
                    "2001:db8::/32",
                    "2000::/3")
            .map(Prefix::parse)
            .toList();

    /**
     * Returns a packet of a set, one that is as ordinary as possible: the first of its connection, without a mark, TCP from
     * an address of this machine to a public one. Empty if the set has none.
     */
    public static Optional<Example> find(
            Exposure exposure, RoutingState routing, Integer packets, Way way, String link) {
        PacketSets sets = exposure.sets();
        if (sets.isNo(packets)) {
            return Optional.empty();
        }
        Integer chosen = packets;
        for (Supplier<Integer> preference : preferences(exposure, routing, way, link)) {
            Integer preferred = sets.and(chosen, preference.get());
            chosen = sets.isNo(preferred) ? chosen : preferred;
        }
        return sets.example(chosen);
    }

    private static List<Supplier<Integer>> preferences(Exposure exposure, RoutingState routing, Way way, String link) {
        PacketSets sets = exposure.sets();
        PacketFields<Integer> fields = exposure.fields();
        List<Supplier<Integer>> preferences = new ArrayList<>();
        preferences.add(() -> sets.equal(fields.connectionState(), PacketState.NEW));
        preferences.add(() -> sets.not(fields.isReply()));
        preferences.add(() -> sets.not(fields.isLaterFragment()));
        preferences.add(() -> sets.equal(fields.mark(), 0));
        preferences.add(exposure::isBoundToNoLink);
        preferences.add(() -> sets.equal(fields.protocol(), TCP));
        preferences.add(() -> sets.equal(fields.protocol(), UDP));
        Supplier<Integer> isOwnSource = () -> isOwn(sets, fields.source(), own(routing, fields.family(), _ -> true));
        preferences.add(way == Way.SENT ? isOwnSource : () -> sets.not(isOwnSource.get()));
        if (way != Way.SENT) {
            preferAny(preferences, sets, fields.source(), SOURCES, fields.family());
        }
        List<Prefix> ofLink =
                own(routing, fields.family(), address -> address.link().equals(link));
        if (way == Way.SENT) {
            preferences.add(() -> isOwn(sets, fields.source(), ofLink));
        } else if (way == Way.RECEIVED) {
            preferences.add(() -> isOwn(sets, fields.destination(), ofLink));
        }
        preferAny(preferences, sets, fields.destination(), DESTINATIONS, fields.family());
        preferences.add(() -> sets.equal(fields.destinationPort(), EXAMPLE_PORT));
        preferences.add(() -> sets.equal(fields.sourcePort(), EXAMPLE_SOURCE_PORT));
        return preferences;
    }

    private static void preferAny(
            List<Supplier<Integer>> preferences,
            PacketSets sets,
            List<Integer> address,
            List<Prefix> prefixes,
            Family family) {
        prefixes.stream()
                .filter(prefix -> prefix.family() == family)
                .forEach(prefix -> preferences.add(() -> sets.isIn(address, prefix)));
    }

    private static List<Prefix> own(RoutingState routing, Family family, Predicate<LinkAddress> which) {
        return routing.addresses().stream()
                .filter(which)
                .map(LinkAddress::address)
                .filter(address ->
                        address.family() == family && !address.address().isLoopbackAddress())
                .map(address -> Prefix.host(address.address()))
                .toList();
    }

    private static Integer isOwn(PacketSets sets, List<Integer> address, List<Prefix> own) {
        return sets.anyOf(own.stream().map(prefix -> sets.isIn(address, prefix)).toList());
    }

    /**
     * Describes a packet of a set.
     *
     * @param last its fields when it is sent or delivered
     */
    public static ExamplePacket of(Exposure exposure, RoutingState routing, Example example, SentFields<Integer> last) {
        PacketFields<Integer> fields = exposure.fields();
        byte[] ports = example.value(fields.ports());
        long link = number(example.value(fields.boundLink()));
        return new ExamplePacket(
                address(example.value(fields.source())),
                address(example.value(fields.destination())),
                (int) number(example.value(fields.protocol())),
                (int) number(Arrays.copyOf(ports, 2)),
                (int) number(Arrays.copyOfRange(ports, 2, 4)),
                number(example.value(fields.mark())),
                new Links(routing).byNumber(link).map(StateLink::name),
                example.value(exposure.sets().equal(fields.connectionState(), PacketState.NEW)),
                example.value(fields.isReply()),
                example.value(fields.isInbound()),
                example.value(fields.isLaterFragment()),
                address(example.value(last.destination())),
                (int) number(example.value(last.destinationPort())));
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static long number(byte[] bytes) {
        return new BigInteger(1, bytes).longValue();
    }

    private boolean hasPorts() {
        return (protocol == TCP || protocol == UDP) && !isLaterFragment;
    }

    private String protocolName() {
        return switch (protocol) {
            case ICMP -> "ICMP type " + (firstPort >> Byte.SIZE);
            case ICMPV6 -> "ICMPv6 type " + (firstPort >> Byte.SIZE);
            default -> protocol == TCP ? "TCP" : protocol == UDP ? "UDP" : "protocol " + protocol;
        };
    }

    private String endpoint(InetAddress address, int port) {
        String text = Prefix.text(address);
        if (!hasPorts()) {
            return text;
        }
        return Family.of(address) == Family.IPV4 ? text + ":" + port : "[" + text + "]:" + port;
    }

    /** Returns it in words, such as {@code TCP from 192.0.2.1:40000 to 203.0.113.9:443}. */
    public String text() {
        StringBuilder text = new StringBuilder(protocolName())
                .append(" from ")
                .append(endpoint(source, firstPort))
                .append(" to ")
                .append(endpoint(destination, secondPort));
        if (!lastDestination.equals(destination) || (hasPorts() && lastPort != secondPort)) {
            text.append(", translated to ").append(endpoint(lastDestination, lastPort));
        }
        if (isLaterFragment) {
            text.append(" (a later fragment)");
        }
        if (mark != 0) {
            text.append(" with mark 0x").append(Long.toHexString(mark));
        }
        boundLink.ifPresent(
                link -> text.append(" of a socket that is bound to ").append(link));
        if (isReply) {
            text.append(", a reply to a connection that ")
                    .append(isInbound ? "came in by an uplink" : "began elsewhere");
        } else if (!isNew) {
            text.append(", a later packet of a connection");
        }
        return text.toString();
    }
}
