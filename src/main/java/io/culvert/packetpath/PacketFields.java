// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The fields of a packet at the beginning of its path, each a number of propositions.
 *
 * @param <B> a proposition
 * @param source 32 or 128 bits
 * @param destination 32 or 128 bits
 * @param protocol 8 bits: the IANA number of the transport protocol
 * @param ports the first 32 bits of the transport header: source and destination port, or ICMP's type, code and checksum
 * @param tcpFlags 8 bits
 * @param mark 32 bits: the firewall mark of the socket, or 0
 * @param boundLink the link that the socket is bound to; 0 if it is bound to none
 * @param isReply the direction of its connection
 * @param connectionState 3 bits, see {@link PacketState}
 * @param connectionMark 32 bits
 * @param isInbound whether the first packet of its connection that the kernel saw came in through an uplink
 * @param isLaterFragment whether it is a fragment without a transport header
 * @param user 32 bits: the user id of the socket
 */
public record PacketFields<B>(
        Family family,
        List<B> source,
        List<B> destination,
        List<B> protocol,
        List<B> ports,
        List<B> tcpFlags,
        List<B> mark,
        List<B> boundLink,
        B isReply,
        List<B> connectionState,
        List<B> connectionMark,
        B isInbound,
        B isLaterFragment,
        List<B> user) {

    /** Values of {@link #connectionState}: an established connection, and its first packet. */
    public static final int STATE_ESTABLISHED = PacketState.ESTABLISHED;

    public static final int STATE_NEW = PacketState.NEW;

    /** Returns a packet of which nothing is known. With decision diagrams, that is every packet. */
    public static <B> PacketFields<B> any(Logic<B> logic, Family family, int linkBits) {
        // The order is that of the diagrams' variables: what is compared together is close, few bits come first.
        List<B> protocol = logic.unknown(Byte.SIZE);
        B isReply = logic.unknown();
        B isInbound = logic.unknown();
        List<B> state = logic.unknown(PacketState.STATE_BITS);
        B isLaterFragment = logic.unknown();
        List<B> boundLink = logic.unknown(linkBits);
        List<B> mark = logic.unknown(PacketState.MARK_BITS);
        List<B> connectionMark = logic.unknown(PacketState.MARK_BITS);
        List<B> ports = logic.unknown(32);
        List<B> tcpFlags = logic.unknown(Byte.SIZE);
        List<B> destination = logic.unknown(family.bits());
        List<B> source = logic.unknown(family.bits());
        List<B> user = logic.unknown(32);
        return new PacketFields<>(
                family,
                source,
                destination,
                protocol,
                ports,
                tcpFlags,
                mark,
                boundLink,
                isReply,
                state,
                connectionMark,
                isInbound,
                isLaterFragment,
                user);
    }

    public List<B> sourcePort() {
        return ports.subList(0, 16);
    }

    public List<B> destinationPort() {
        return ports.subList(16, 32);
    }

    /** Returns all bits of all fields. */
    List<B> bits() {
        List<B> bits = new ArrayList<>();
        map(bits::add);
        return bits;
    }

    /** Returns the fields in another logic. */
    public <C> PacketFields<C> map(Function<B, C> proposition) {
        Function<List<B>, List<C>> number =
                bits -> bits.stream().map(proposition).toList();
        return new PacketFields<>(
                family,
                number.apply(source),
                number.apply(destination),
                number.apply(protocol),
                number.apply(ports),
                number.apply(tcpFlags),
                number.apply(mark),
                number.apply(boundLink),
                proposition.apply(isReply),
                number.apply(connectionState),
                number.apply(connectionMark),
                proposition.apply(isInbound),
                proposition.apply(isLaterFragment),
                number.apply(user));
    }
}
