package io.culvert.plan;

import static io.culvert.nft.Statement.is;
import static io.culvert.nft.Statement.isNot;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.nft.Field.Joined;
import io.culvert.nft.Field.Masked;
import io.culvert.nft.Field.Property;
import io.culvert.nft.Statement;
import io.culvert.nft.Value;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** The match expressions of the kill switch's rules. */
final class Match {

    static final int DNS = 53;

    /** DNS over TLS and over QUIC (RFC 7858, RFC 9250). */
    static final int DNS_ENCRYPTED = 853;

    private Match() {}

    static Statement cameBy(Collection<String> links) {
        return is(Property.INPUT_LINK, links(links));
    }

    static Statement cameBy(String... links) {
        return cameBy(Arrays.asList(links));
    }

    static Statement cameByOtherThan(String... links) {
        return isNot(Property.INPUT_LINK, links(Arrays.asList(links)));
    }

    static Statement leavesBy(Collection<String> links) {
        return is(Property.OUTPUT_LINK, links(links));
    }

    static Statement leavesBy(String... links) {
        return leavesBy(Arrays.asList(links));
    }

    static Statement leavesByOtherThan(Collection<String> links) {
        return isNot(Property.OUTPUT_LINK, links(links));
    }

    static Statement leavesByOtherThan(String... links) {
        return leavesByOtherThan(Arrays.asList(links));
    }

    /** Matches replies: packets in the direction of the responder. The state "established" does not show who initiated. */
    static Statement isReply() {
        return is(Property.DIRECTION, Value.Word.REPLY);
    }

    /**
     * Matches connections whose first packet was seen coming in. The direction alone does not show this: connection tracking also
     * picks up a connection in the middle, and then takes the first packet that it sees for the original direction.
     */
    static Statement isOfInbound() {
        return is(new Masked(Property.CONNECTION_MARK, Marks.INBOUND), new Value.Bits(Marks.INBOUND));
    }

    /** Matches connections without this bit in their mark. */
    static Statement connectionLacks(long bit) {
        return is(new Masked(Property.CONNECTION_MARK, bit), new Value.Bits(0));
    }

    /** Matches packets in the direction of the initiator. */
    static Statement isOriginal() {
        return is(Property.DIRECTION, Value.Word.ORIGINAL);
    }

    /** Matches the first packet of a TCP connection: of SYN, ACK, RST and FIN only SYN is set (RFC 9293, section 3.1). */
    static Statement beginsTcp() {
        return is(new Masked(Property.TCP_FLAGS, 0b10111), new Value.Decimal(0b00010));
    }

    static Statement over(Transport transport) {
        return is(Property.TRANSPORT, Value.Word.of(transport));
    }

    static Statement marked(long mark) {
        return is(Property.MARK, new Value.Bits(mark));
    }

    static Statement markedOtherThan(long mark) {
        return isNot(Property.MARK, new Value.Bits(mark));
    }

    static Statement markedByNoneOf(Marks marks) {
        return isNot(Property.MARK, Value.anyOf(new Value.Bits(marks.tunnel()), new Value.Bits(marks.stub())));
    }

    static Statement markedByTailscale() {
        return is(new Masked(Property.MARK, Marks.TAILSCALE_MASK), new Value.Bits(Marks.TAILSCALE));
    }

    static Statement forwardedByTailscale() {
        return is(new Masked(Property.MARK, Marks.TAILSCALE_MASK), new Value.Bits(Marks.TAILSCALE_FORWARDED));
    }

    static Statement of(Family family) {
        return is(Property.FAMILY, Value.Word.of(family));
    }

    static Statement hasPorts() {
        return is(Property.TRANSPORT, Value.anyOf(Value.Word.of(Transport.TCP), Value.Word.of(Transport.UDP)));
    }

    /** Matches destination ports. It must follow {@link #hasPorts()}. */
    static Statement toPort(int... ports) {
        return is(Property.DESTINATION_PORT, ports(ports));
    }

    static Statement toPorts(Transport transport, Collection<Integer> ports) {
        Property key = transport == Transport.TCP ? Property.TCP_DESTINATION_PORT : Property.UDP_DESTINATION_PORT;
        return is(key, Value.anyOf(ports.stream().map(Value.Decimal::new).toList()));
    }

    static Statement toUdpPortOtherThan(int... ports) {
        return isNot(Property.UDP_DESTINATION_PORT, ports(ports));
    }

    static Statement fromUdpPort(int... ports) {
        return is(Property.UDP_SOURCE_PORT, ports(ports));
    }

    static Statement toUdpPort(int port) {
        return is(Property.UDP_DESTINATION_PORT, new Value.Decimal(port));
    }

    static Statement sentFrom(Family family, Value source) {
        return is(source(family), source);
    }

    static Statement sentFromOtherThan(Family family, Value source) {
        return isNot(source(family), source);
    }

    static Statement sentTo(Family family, Value destination) {
        return is(destination(family), destination);
    }

    static Property destination(Family family) {
        return family == Family.IPV4 ? Property.IPV4_DESTINATION : Property.IPV6_DESTINATION;
    }

    static Statement icmpv6(Value.Word... types) {
        return is(Property.ICMPV6_TYPE, Value.anyOf(types));
    }

    /** Matches UDP packets whose destination address and port are an element of a set. */
    static Statement sentToUdp(Family family, String set) {
        return is(Joined.of(destination(family), Property.UDP_DESTINATION_PORT), new Value.In(set));
    }

    static Statement icmp(Value.Word... types) {
        return is(Property.ICMP_TYPE, Value.anyOf(types));
    }

    /** Returns the multicast addresses of a family, and for IPv4 the limited broadcast address. */
    static Value toMany(Family family) {
        return family == Family.IPV4
                ? oneOfPrefixes(List.of(Prefix.parse("224.0.0.0/4"), Prefix.parse("255.255.255.255/32")))
                : new Value.Address(Prefix.parse("ff00::/8"));
    }

    /**
     * Returns a value that matches any of these addresses.
     *
     * @param addresses of one family, at least one
     */
    static Value oneOf(List<InetAddress> addresses) {
        return Value.anyOf(addresses.stream().map(Value.Address::of).toList());
    }

    /**
     * Returns a value that matches any address in these networks.
     *
     * @param networks of one family, at least one
     */
    static Value oneOfPrefixes(List<Prefix> networks) {
        return Value.anyOf(networks.stream().map(Value.Address::new).toList());
    }

    private static Property source(Family family) {
        return family == Family.IPV4 ? Property.IPV4_SOURCE : Property.IPV6_SOURCE;
    }

    private static Value links(Collection<String> links) {
        return Value.anyOf(links.stream().map(Value.Link::new).toList());
    }

    private static Value ports(int... ports) {
        return Value.anyOf(Arrays.stream(ports).mapToObj(Value.Decimal::new).toList());
    }
}
