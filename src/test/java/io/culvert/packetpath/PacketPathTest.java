// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.packetpath.Exposure.Outgoing;
import io.culvert.packetpath.PacketPath.Departure;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.PlanExamples;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PacketPathTest {

    private static final Set<String> INSIDE = Set.of("wg0", "mesh0", "mesh1", "tailscale0");

    static Stream<String> examples() {
        return PlanExamples.all().keySet().stream().sorted();
    }

    private static PlannedNamespace namespace(String example) {
        return PlannedNamespace.of(ExitNodePlanner.plan(PlanExamples.inputsOf(example)));
    }

    private static Exposure exposure(PlannedNamespace namespace, Layers layers, Family family) {
        return exposure(AllPackets.of(new PacketSets(), namespace.routing(), family), namespace, layers);
    }

    @ParameterizedTest
    @MethodSource("examples")
    void no_forwarded_packet_leaves_through_an_uplink(String example) {
        for (Family family : Family.values()) {
            for (Layers layers : List.of(Layers.BOTH, Layers.FIREWALL)) {
                Exposure exposure = exposure(namespace(example), layers, family);
                assertThat(exposure.outgoing())
                        .as("%s, %s", family, layers)
                        .filteredOn(outgoing -> !isReplyToGatewayClient(example, exposure, outgoing))
                        .allSatisfy(outgoing -> assertThat(
                                        outgoing.from().map(StateLink::name).orElse("tailscale0"))
                                .as("only the tailnet has subnets that are advertised to it")
                                .isEqualTo("tailscale0"));
            }
        }
    }

    private static boolean isReplyToGatewayClient(String example, Exposure exposure, Outgoing outgoing) {
        PacketSets sets = exposure.sets();
        return example.equals("gateway")
                && outgoing.from().map(StateLink::name).equals(Optional.of("wg0"))
                && sets.isNo(
                        sets.and(outgoing.packets(), sets.not(exposure.fields().isReply())));
    }

    /** Both evaluations describe the same path, so each packet that one lets out, the other one lets out too. */
    @ParameterizedTest
    @MethodSource("examples")
    void each_example_of_all_packets_leaves_when_it_is_followed_alone(String example) {
        PlannedNamespace namespace = namespace(example);
        for (Family family : Family.values()) {
            Exposure exposure = exposure(namespace, Layers.BOTH, family);
            for (Outgoing outgoing : exposure.outgoing().stream()
                    .filter(it -> it.from().isEmpty())
                    .toList()) {
                for (Step<Integer> step : outgoing.steps().stream()
                        .filter(it -> it.where().equals("postrouting"))
                        .toList()) {
                    Integer packets = exposure.sets().and(outgoing.packets(), step.packets());
                    exposure.sets()
                            .example(packets)
                            .ifPresent(packet -> assertThat(leaves(namespace, exposure, packet, outgoing.link()))
                                    .as("%s by %s", step.what(), outgoing.link().name())
                                    .isTrue());
                }
            }
        }
    }

    private static boolean leaves(
            PlannedNamespace namespace, Exposure exposure, PacketSets.Example packet, StateLink link) {
        PacketPath<Truth> path = new PacketPath<>(Truth.LOGIC, namespace.routing(), namespace.tables(), Layers.BOTH);
        PacketFields<Truth> fields = exposure.fields().map(bit -> Truth.of(packet.value(bit)));
        Truth isBound = Truth.of(packet.value(exposure.isBoundToAddress()));
        return path.send(fields, Truth.YES, isBound).stream().anyMatch(departure -> leaves(path, departure, link));
    }

    private static boolean leaves(PacketPath<Truth> path, Departure<Truth> departure, StateLink link) {
        return path.leaving(departure, link) != Truth.NO;
    }

    /** So that only those have to be followed that rules pass with any route. */
    @ParameterizedTest
    @MethodSource("examples")
    void what_passes_with_the_real_routes_is_among_what_passes_with_any(String example) {
        PlannedNamespace namespace = namespace(example);
        for (Family family : Family.values()) {
            AllPackets all = AllPackets.of(new PacketSets(), namespace.routing(), family);
            Exposure real = exposure(all, namespace, Layers.BOTH);

            Map<String, Integer> expected = passing(all, real);
            Map<String, Integer> withRoutes =
                    passing(all, exposure(all, namespace, Layers.FIREWALL).withRoutes());
            // What is known about connections' marks is less then.
            expected.forEach((way, packets) -> assertThat(all.sets()
                            .isSubset(
                                    packets,
                                    withRoutes.getOrDefault(way, all.sets().no())))
                    .as("%s, %s", family, way)
                    .isTrue());
            assertThat(withRoutes.keySet()).isEqualTo(expected.keySet());
        }
    }

    private static Exposure exposure(AllPackets all, PlannedNamespace namespace, Layers layers) {
        return new Exposure(all, namespace.routing(), namespace.tables(), INSIDE, layers);
    }

    /** Returns the packets of each way, whatever is not known about them. */
    private static Map<String, Integer> passing(AllPackets all, Exposure exposure) {
        Map<String, Integer> passing = new TreeMap<>();
        exposure.outgoing()
                .forEach(it -> passing.merge(
                        it.from().map(StateLink::name).orElse("local") + " to "
                                + it.link().name(),
                        all.withoutUnknowns(it.packets()),
                        all.sets()::or));
        exposure.incoming()
                .forEach(it -> passing.merge(
                        "to here from " + it.link().name(), all.withoutUnknowns(it.packets()), all.sets()::or));
        return passing;
    }

    @Test
    void a_packet_of_a_local_process_leaves_through_the_tunnel() {
        PlannedNamespace namespace = namespace("ipv4-only-file");

        assertThat(links(namespace, packet(namespace, "203.0.113.9", 443, 0))).containsExactly("wg0");
    }

    @Test
    void nothing_leaves_where_the_tunnels_route_is_missing() {
        PlannedNamespace namespace = namespace("ipv4-only-file");
        PlannedNamespace without = namespace.withRoutes(route -> route.table() != 51820);

        assertThat(links(without, packet(namespace, "203.0.113.9", 443, 0))).isEmpty();
    }

    @Test
    void a_packet_leaves_through_the_uplink_where_nothing_prevents_it() {
        PlannedNamespace namespace = namespace("ipv4-only-file");
        PlannedNamespace without = namespace.withRules(rule -> !rule.isOurs()).withTables(List.of());

        assertThat(links(without, packet(namespace, "203.0.113.9", 443, 0))).containsExactly("eth0");
    }

    /** Returns the links that a packet surely or maybe leaves through. */
    private static List<String> links(PlannedNamespace namespace, PacketFields<Truth> fields) {
        PacketPath<Truth> path = new PacketPath<>(Truth.LOGIC, namespace.routing(), namespace.tables(), Layers.BOTH);
        List<Departure<Truth>> departures = path.send(fields, Truth.YES, Truth.NO);
        return namespace.routing().links().stream()
                .filter(link -> departures.stream().anyMatch(departure -> leaves(path, departure, link)))
                .map(StateLink::name)
                .toList();
    }

    private static PacketFields<Truth> packet(PlannedNamespace namespace, String destination, int port, long mark) {
        Logic<Truth> logic = Truth.LOGIC;
        return new PacketFields<>(
                Family.IPV4,
                logic.constant(Prefix.parseAddress("192.168.7.2").getAddress()),
                logic.constant(Prefix.parseAddress(destination).getAddress()),
                logic.constant(6, 8),
                logic.constant(40_000L << 16 | port, 32),
                logic.constant(2, 8),
                logic.constant(mark, 32),
                logic.zero(new Links(namespace.routing()).bits()),
                Truth.NO,
                logic.constant(PacketState.NEW, PacketState.STATE_BITS),
                logic.constant(0, 32),
                Truth.NO,
                Truth.NO,
                logic.constant(0, 32));
    }
}
