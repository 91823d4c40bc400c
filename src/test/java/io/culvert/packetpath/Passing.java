// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The packets that pass a namespace, by their way, in terms of the fields of an exposure. What a change of addresses makes of
 * them is not compared.
 */
public record Passing(Exposure exposure, Map<Way, Integer> packets) {

    /**
     * A way of packets.
     *
     * @param link that they leave or come in by
     */
    private record Way(String text, String link) {}

    public static Passing of(Exposure exposure, RoutingState routing) {
        PacketSets sets = exposure.sets();
        Map<Way, Integer> packets = new LinkedHashMap<>();
        for (Exposure.Crossing crossing : exposure.crossings()) {
            String from = crossing.from().map(StateLink::name).orElse("local processes");
            for (StateLink link : routing.links()) {
                packets.merge(
                        new Way(from + " to " + link.name(), link.name()), exposure.leaving(crossing, link), sets::or);
            }
        }
        exposure.incoming()
                .forEach(in -> packets.merge(
                        new Way("in by " + in.link().name(), in.link().name()), in.packets(), sets::or));
        packets.replaceAll((_, set) -> exposure.all().withoutUnknowns(set));
        return new Passing(exposure, packets);
    }

    /** Returns the way of packets that pass here by some of the links, and not in another state. */
    public Optional<String> more(Passing than, Predicate<String> links) {
        PacketSets sets = exposure.sets();
        return packets.entrySet().stream()
                .filter(entry -> links.test(entry.getKey().link()))
                .filter(entry -> !sets.isSubset(entry.getValue(), than.packets.getOrDefault(entry.getKey(), sets.no())))
                .map(entry -> entry.getKey().text())
                .findFirst();
    }
}
