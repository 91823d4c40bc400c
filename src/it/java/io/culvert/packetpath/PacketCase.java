// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import java.util.Optional;

/**
 * A packet of a test.
 *
 * @param number identifies it; in its data
 * @param kind how it is sent
 * @param protocol IANA's number: TCP, UDP or ICMP
 * @param source empty if the kernel chooses it
 * @param sourcePort or the identifier of an ICMP echo request
 * @param link what the socket is bound to; of a packet from outside, the link that it comes in by
 */
public record PacketCase(
        int number,
        Kind kind,
        Family family,
        int protocol,
        Optional<String> source,
        String destination,
        int sourcePort,
        int destinationPort,
        long mark,
        Optional<String> link,
        int user) {

    public enum Kind {
        /** By a socket that is not connected. */
        SENT,
        /** By a socket that is connected, so that the kernel looks up the route twice. */
        CONNECTED,
        /** From outside. */
        RECEIVED
    }

    public static final int ICMP = 1;
    public static final int TCP = 6;
    public static final int UDP = 17;
    public static final int ICMPV6 = 58;

    static PacketCase random(int number, int sourcePort, RandomNamespace random, int receivedPercent) {
        Family family = random.chance(50) ? Family.IPV4 : Family.IPV6;
        int icmp = family == Family.IPV4 ? ICMP : ICMPV6;
        boolean isReceived = random.chance(receivedPercent);
        int protocol = random.pick(UDP, UDP, UDP, TCP, TCP, icmp);
        String destination = random.destination(family);
        boolean isOrdinary =
                !destination.startsWith("2") || !destination.contains(".") || destination.startsWith("203.");
        if (protocol == TCP && (!isOrdinary || destination.startsWith("ff") || destination.matches(".*\\.(127|255)"))) {
            protocol = UDP;
        }
        int destinationPort = random.pick(53, 80, 443, 51820, random.number(1, 65535));
        if (isReceived) {
            return new PacketCase(
                    number,
                    Kind.RECEIVED,
                    family,
                    protocol,
                    Optional.of(random.foreign(family)),
                    destination,
                    sourcePort,
                    destinationPort,
                    0,
                    Optional.of(random.pick(RandomNamespace.LINKS)),
                    0);
        }
        Optional<String> source = random.chance(50) && !random.own(family).isEmpty()
                ? Optional.of(random.pick(random.own(family)))
                : Optional.empty();
        return new PacketCase(
                number,
                protocol == TCP || (protocol == UDP && random.chance(40)) ? Kind.CONNECTED : Kind.SENT,
                family,
                protocol,
                source,
                destination,
                sourcePort,
                destinationPort,
                random.chance(50) ? 0 : random.pick(RandomNamespace.MARKS),
                random.chance(20) ? Optional.of(random.pick(RandomNamespace.LINKS)) : Optional.empty(),
                random.chance(60) ? 0 : random.pick(RandomNamespace.USERS));
    }
}
