// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.audit.TrafficPattern.Direction;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.net.Transport;
import java.util.ArrayList;
import java.util.List;

/** The traffic that keeps an uplink usable; any process may send and get it. */
final class EssentialTraffic {

    private static final int UDP = Transport.UDP.number();
    private static final int ICMPV6 = 58;

    /** Multicast listener reports (RFC 2710, RFC 3810) and neighbour discovery (RFC 4861). */
    private static final List<Integer> SENT_ICMPV6 = List.of(131, 132, 133, 135, 136, 143);

    /** Multicast listener queries, router advertisements and neighbour discovery. */
    private static final List<Integer> RECEIVED_ICMPV6 = List.of(130, 134, 135, 136);

    private EssentialTraffic() {}

    static Allowance incomingReplies() {
        return Allowance.of(
                "replies to connections of this machine", TrafficPattern.of(it -> it.direction = Direction.REPLY));
    }

    /** @param networks of the uplinks, in which neighbours are */
    static List<Allowance> outgoing(List<Prefix> networks) {
        List<Prefix> neighbours =
                new ArrayList<>(List.of(SpecialRange.LINK_LOCAL_IPV6.prefix(), Prefix.parse("ff02::/16")));
        networks.stream()
                .filter(network -> network.family() == Family.IPV6 && !network.isDefault())
                .forEach(neighbours::add);
        return List.of(
                Allowance.of("neighbour discovery and multicast listener reports on the link", TrafficPattern.of(it -> {
                    it.protocols = List.of(ICMPV6);
                    it.icmpTypes = SENT_ICMPV6;
                    it.destinations = neighbours;
                })),
                Allowance.of(
                        "DHCP requests to the link, of any process",
                        dhcp("255.255.255.255", 68, 67),
                        dhcp("ff02::1:2", 546, 547)));
    }

    private static TrafficPattern dhcp(String destination, int from, int to) {
        return TrafficPattern.of(it -> {
            it.protocols = List.of(UDP);
            it.destinations = List.of(Prefix.parse(destination));
            it.sourcePorts = List.of(from);
            it.destinationPorts = List.of(to);
        });
    }

    static List<Allowance> incoming() {
        return List.of(
                Allowance.of(
                        "neighbour discovery, router advertisements and multicast listener queries",
                        TrafficPattern.of(it -> {
                            it.protocols = List.of(ICMPV6);
                            it.icmpTypes = RECEIVED_ICMPV6;
                        })),
                Allowance.of(
                        "DHCP replies",
                        TrafficPattern.ports(UDP, List.of(67), List.of(68)),
                        TrafficPattern.ports(UDP, List.of(547), List.of(546))));
    }
}
