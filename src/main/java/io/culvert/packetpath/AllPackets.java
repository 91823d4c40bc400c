// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.rtnl.RoutingState;
import java.util.HashSet;
import java.util.Set;

/**
 * All packets of one family. Evaluations of the same namespace share them, and so what they find out in common.
 *
 * @param isBoundToAddress the packets of sockets that are bound to their own source address
 */
public record AllPackets(PacketSets sets, PacketFields<Integer> fields, Integer isBoundToAddress) {

    public static AllPackets of(PacketSets sets, RoutingState routing, Family family) {
        PacketFields<Integer> fields = PacketFields.any(sets, family, new Links(routing).bits());
        return new AllPackets(sets, fields, sets.unknown());
    }

    /** Returns the packets of which some are in a set, whatever is not known about them. */
    Integer withoutUnknowns(Integer packets) {
        Set<Integer> known = new HashSet<>(fields.bits());
        known.add(isBoundToAddress);
        return sets.projection(packets, known);
    }
}
