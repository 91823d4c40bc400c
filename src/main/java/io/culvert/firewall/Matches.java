// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.nft.Statement.is;
import static io.culvert.nft.Statement.isNot;

import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.net.Transport;
import io.culvert.nft.MatchField.Joined;
import io.culvert.nft.MatchField.Masked;
import io.culvert.nft.MatchField.Property;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** The match expressions of the kill switch's rules. */
final class Matches {

    static final int DNS = 53;

    /** DNS over TLS and over QUIC (RFC 7858, RFC 9250). */
    static final int DNS_ENCRYPTED = 853;

    private Matches() {}

    static Statement fromLink(Collection<String> links) {
        return is(Property.INPUT_LINK, links(links));
    }

    static Statement fromLink(String... links) {
        return fromLink(Arrays.asList(links));
    }

    static Statement notFromLink(Collection<String> links) {
        return isNot(Property.INPUT_LINK, links(links));
    }

    static Statement notFromLink(String... links) {
        return notFromLink(Arrays.asList(links));
    }

    static Statement toLink(Collection<String> links) {
        return is(Property.OUTPUT_LINK, links(links));
    }

    static Statement toLink(String... links) {
        return toLink(Arrays.asList(links));
    }

    static Statement notToLink(Collection<String> links) {
        return isNot(Property.OUTPUT_LINK, links(links));
    }

    static Statement notToLink(String... links) {
        return notToLink(Arrays.asList(links));
    }

    /** Matches replies: packets in the direction of the responder. The state "established" does not show who initiated. */
    static Statement isReply() {
        return is(Property.DIRECTION, NftValue.Word.REPLY);
    }

    /**
     * Matches connections whose first packet was seen coming in. The direction alone does not show this: connection tracking also
     * picks up a connection in the middle, and then takes the first packet that it sees for the original direction.
     */
    static Statement isInboundConnection() {
        return is(new Masked(Property.CONNECTION_MARK, Marks.INBOUND), new NftValue.Bits(Marks.INBOUND));
    }

    /** Matches connections without this bit in their mark. */
    static Statement connectionWithoutMark(long bit) {
        return is(new Masked(Property.CONNECTION_MARK, bit), new NftValue.Bits(0));
    }

    /** Matches packets in the direction of the initiator. */
    static Statement isOriginal() {
        return is(Property.DIRECTION, NftValue.Word.ORIGINAL);
    }

    /** Matches the first packet of a TCP connection: of SYN, ACK, RST and FIN only SYN is set (RFC 9293, section 3.1). */
    static Statement isTcpSyn() {
        return is(new Masked(Property.TCP_FLAGS, 0b10111), new NftValue.Decimal(0b00010));
    }

    static Statement isTransport(Transport transport) {
        return is(Property.TRANSPORT, NftValue.Word.of(transport));
    }

    static Statement hasMark(long mark) {
        return is(Property.MARK, new NftValue.Bits(mark));
    }

    static Statement hasOtherMark(long mark) {
        return isNot(Property.MARK, new NftValue.Bits(mark));
    }

    static Statement hasNoMarkOf(Marks marks) {
        return isNot(Property.MARK, NftValue.anyOf(new NftValue.Bits(marks.tunnel()), new NftValue.Bits(marks.stub())));
    }

    static Statement hasTailscaleMark() {
        return is(new Masked(Property.MARK, Marks.TAILSCALE_MASK), new NftValue.Bits(Marks.TAILSCALE));
    }

    static Statement isForwardedByTailscale() {
        return is(new Masked(Property.MARK, Marks.TAILSCALE_MASK), new NftValue.Bits(Marks.TAILSCALE_FORWARDED));
    }

    static Statement isFamily(Family family) {
        return is(Property.FAMILY, NftValue.Word.of(family));
    }

    static Statement isTcpOrUdp() {
        return is(Property.TRANSPORT, NftValue.anyOf(NftValue.Word.of(Transport.TCP), NftValue.Word.of(Transport.UDP)));
    }

    /** Matches destination ports. It must follow {@link #isTcpOrUdp()}. */
    static Statement toPort(int... ports) {
        return is(Property.DESTINATION_PORT, ports(ports));
    }

    static Statement toPorts(Transport transport, Collection<Integer> ports) {
        Property key = transport == Transport.TCP ? Property.TCP_DESTINATION_PORT : Property.UDP_DESTINATION_PORT;
        return is(key, NftValue.anyOf(ports.stream().map(NftValue.Decimal::new).toList()));
    }

    static Statement notToUdpPort(int... ports) {
        return isNot(Property.UDP_DESTINATION_PORT, ports(ports));
    }

    static Statement fromUdpPort(int... ports) {
        return is(Property.UDP_SOURCE_PORT, ports(ports));
    }

    static Statement toUdpPort(int port) {
        return is(Property.UDP_DESTINATION_PORT, new NftValue.Decimal(port));
    }

    static Statement fromAddress(Family family, NftValue source) {
        return is(source(family), source);
    }

    static Statement notFromAddress(Family family, NftValue source) {
        return isNot(source(family), source);
    }

    static Statement toAddress(Family family, NftValue destination) {
        return is(destination(family), destination);
    }

    static Property destination(Family family) {
        return family == Family.IPV4 ? Property.IPV4_DESTINATION : Property.IPV6_DESTINATION;
    }

    static Statement icmpv6(NftValue.Word... types) {
        return is(Property.ICMPV6_TYPE, NftValue.anyOf(types));
    }

    /** Matches UDP packets whose destination address and port are an element of a set. */
    static Statement toUdpEndpoint(Family family, String set) {
        return is(Joined.of(destination(family), Property.UDP_DESTINATION_PORT), new NftValue.In(set));
    }

    static Statement icmp(NftValue.Word... types) {
        return is(Property.ICMP_TYPE, NftValue.anyOf(types));
    }

    /** Returns the multicast addresses of a family, and for IPv4 the limited broadcast address. */
    static NftValue multicast(Family family) {
        return family == Family.IPV4
                ? anyOfPrefixes(SpecialRange.prefixes(SpecialRange.MULTICAST_IPV4, SpecialRange.BROADCAST))
                : new NftValue.Address(SpecialRange.MULTICAST_IPV6.prefix());
    }

    /**
     * Returns a value that matches any of these addresses.
     *
     * @param addresses of one family, at least one
     */
    static NftValue anyOfAddresses(List<InetAddress> addresses) {
        return NftValue.anyOf(addresses.stream().map(NftValue.Address::of).toList());
    }

    /**
     * Returns a value that matches any address in these networks.
     *
     * @param networks of one family, at least one
     */
    static NftValue anyOfPrefixes(List<Prefix> networks) {
        return NftValue.anyOf(networks.stream().map(NftValue.Address::new).toList());
    }

    private static Property source(Family family) {
        return family == Family.IPV4 ? Property.IPV4_SOURCE : Property.IPV6_SOURCE;
    }

    private static NftValue links(Collection<String> links) {
        return NftValue.anyOf(links.stream().map(NftValue.Link::new).toList());
    }

    private static NftValue ports(int... ports) {
        return NftValue.anyOf(
                Arrays.stream(ports).mapToObj(NftValue.Decimal::new).toList());
    }
}
