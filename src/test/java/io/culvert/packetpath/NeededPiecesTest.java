// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import io.culvert.nft.KernelChain;
import io.culvert.nft.KernelSet;
import io.culvert.nft.KernelTable;
import io.culvert.nft.NfTables;
import io.culvert.nft.TableRule;
import io.culvert.packetpath.PacketPath.Arrival;
import io.culvert.packetpath.PacketPath.Departure;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.PlanExamples;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Each rule, route, chain policy and set element of a plan decides something: without it, other packets pass. What decides
 * nothing about packets is listed here with its reason.
 */
class NeededPiecesTest {

    private static final String MARKS = "marks the connection, which decides about later packets of it";
    private static final String SECOND = "one of two that each block the same: rule, to be counted, and policy";
    private static final String LOOPBACK = "packets over loopback are not followed further";

    /** Pieces that decide about no packet by themselves, and why they are there. */
    private static final Map<String, String> OTHER_EFFECT = Map.ofEntries(
            Map.entry("pref 5325 oif", "the kernel itself looks up a gateway by it"),
            Map.entry(
                    "ip -4 rule pref 5340",
                    "needed where the tunnel's table has no route, as before there is a tunnel"),
            Map.entry("ip -6 rule pref 5330", "without IPv6 in the tunnel its table is empty"),
            Map.entry("\"from loopback\"", LOOPBACK),
            Map.entry("\"redirected to the DNS stub", LOOPBACK),
            Map.entry("element 6c6f0000000000000000000000000000 of \"anti-spoofing", LOOPBACK),
            Map.entry("chain inbound", MARKS),
            Map.entry("\"clamp MSS", "changes a TCP option"),
            Map.entry("\"masquerade", "changes the source address, which is not compared"),
            Map.entry("\"no multicast into tunnel or mesh, IPv6\"", "the tunnel carries no IPv6"),
            Map.entry("\"neighbour discovery in the link's networks\"", "the router's address is link-local here"),
            Map.entry("of set neighbours6", "the router's address is link-local here"),
            Map.entry("\"nothing else from the uplink\"", SECOND),
            Map.entry("\"not forwarded\"", SECOND),
            Map.entry("\"rejected on the uplink\"", SECOND),
            Map.entry("\"rerouted to the uplink\"", SECOND),
            Map.entry("policy accept", SECOND));

    /** Whether all pieces are judged, which takes minutes, or only those of the routing layer by that layer. */
    private static final boolean IS_WHOLE = System.getProperty("culvert.proof.shapes") != null;

    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    void each_piece_of_a_plan_is_needed() {
        PlannedNamespace namespace = PlannedNamespace.of(ExitNodePlanner.plan(PlanExamples.inputsOf("ipv4-only-file")));
        Map<String, PlannedNamespace> mutants = mutants(namespace);
        mutants.values().removeIf(mutant -> !IS_WHOLE && !mutant.tables().equals(namespace.tables()));
        List<String> withoutEffect = new ArrayList<>(mutants.keySet());
        // A layer alone first: it is cheaper, and most pieces decide there.
        for (Layers layers :
                IS_WHOLE ? List.of(Layers.ROUTING, Layers.FIREWALL, Layers.BOTH) : List.of(Layers.ROUTING)) {
            for (Family family : Family.values()) {
                PacketSets sets = new PacketSets();
                Passing passing = new Passing(sets, namespace, layers, family);
                List<Integer> expected = passing.of(namespace);
                withoutEffect.removeIf(name -> {
                    PlannedNamespace mutant = mutants.getOrDefault(name, namespace);
                    boolean isOfLayer = mutant.tables().equals(namespace.tables())
                            ? layers != Layers.FIREWALL
                            : layers != Layers.ROUTING;
                    return isOfLayer && !passing.of(mutant).equals(expected);
                });
            }
        }

        assertThat(withoutEffect)
                .as("of %d pieces, those that decide nothing, besides the listed ones", mutants.size())
                .filteredOn(name -> OTHER_EFFECT.keySet().stream().noneMatch(name::contains))
                .isEmpty();
    }

    /** The packets that pass a namespace, by their way. */
    private static final class Passing {

        private final PacketSets sets;
        private final Layers layers;
        private final PacketFields<Integer> fields;
        private final Integer isBound;

        Passing(PacketSets sets, PlannedNamespace namespace, Layers layers, Family family) {
            this.sets = sets;
            this.layers = layers;
            int bits = new PacketPath<>(sets, namespace.routing(), List.of(), layers).linkBits();
            fields = PacketFields.any(sets, family, bits);
            isBound = sets.unknown();
        }

        List<Integer> of(PlannedNamespace namespace) {
            PacketPath<Integer> path = new PacketPath<>(sets, namespace.routing(), namespace.tables(), layers);
            List<Integer> passing = new ArrayList<>();
            List<Departure<Integer>> local = path.send(fields, sets.yes(), isBound);
            namespace.routing().links().forEach(link -> passing.add(leaving(path, local, link)));
            for (StateLink from : namespace.routing().links()) {
                if (!from.isLoopback()) {
                    List<Arrival<Integer>> arrivals = path.receive(fields, from, sets.yes());
                    passing.add(known(
                            sets.anyOf(arrivals.stream().map(Arrival::delivered).toList())));
                    List<Departure<Integer>> forwarded =
                            arrivals.stream().map(Arrival::forwarded).toList();
                    namespace.routing().links().forEach(link -> passing.add(leaving(path, forwarded, link)));
                }
            }
            return passing;
        }

        private Integer leaving(PacketPath<Integer> path, List<Departure<Integer>> departures, StateLink link) {
            return known(sets.anyOf(departures.stream()
                    .map(departure -> path.leaving(departure, link))
                    .toList()));
        }

        private Integer known(Integer packets) {
            List<Integer> kept = new ArrayList<>(fields.bits());
            kept.add(isBound);
            return sets.projection(packets, new HashSet<>(kept));
        }
    }

    private static Map<String, PlannedNamespace> mutants(PlannedNamespace namespace) {
        Map<String, PlannedNamespace> mutants = new LinkedHashMap<>();
        namespace.routing().rules().stream()
                .filter(rule -> rule.isOurs())
                .forEach(rule ->
                        mutants.put("without " + rule.text(), namespace.withRules(other -> !other.equals(rule))));
        namespace.routing().routes().stream()
                .filter(route -> route.table() != 254 && route.table() != 255)
                .forEach(route -> mutants.put(
                        "without route " + route.family() + " " + route.destination() + " of table " + route.table(),
                        namespace.withRoutes(other -> !other.equals(route))));
        for (KernelTable table : namespace.tables()) {
            if (table.family() == KernelTable.ARP) {
                continue;
            }
            for (KernelChain chain : table.chains()) {
                String where = ", chain " + chain.name();
                for (TableRule rule : chain.rules()) {
                    mutants.put(
                            "without \"" + rule.comment() + '"' + where,
                            with(namespace, table, replaced(chain, without(chain.rules(), rule))));
                }
                chain.hook()
                        .filter(hook -> !hook.isAccepting())
                        .ifPresent(hook -> mutants.put(
                                "policy accept" + where,
                                with(
                                        namespace,
                                        table,
                                        new KernelChain(
                                                chain.name(),
                                                Optional.of(new KernelChain.Hook(
                                                        hook.type(),
                                                        hook.number(),
                                                        hook.priority(),
                                                        true,
                                                        hook.links())),
                                                chain.rules()))));
            }
            for (KernelSet set : table.sets()) {
                for (KernelSet.Element element : set.elements()) {
                    mutants.put(
                            "without element " + HexFormat.of().formatHex(element.first()) + " of " + user(table, set),
                            namespace.withTables(replaced(
                                    namespace.tables(),
                                    table,
                                    new KernelTable(
                                            table.family(),
                                            table.name(),
                                            false,
                                            table.chains(),
                                            table.sets().stream()
                                                    .map(other -> other.equals(set)
                                                            ? new KernelSet(
                                                                    set.name(),
                                                                    set.keyLength(),
                                                                    set.fieldLengths(),
                                                                    set.isMap(),
                                                                    set.isDynamic(),
                                                                    without(set.elements(), element))
                                                            : other)
                                                    .toList(),
                                            List.of()))));
                }
            }
        }
        return mutants;
    }

    /** Returns the rule that an anonymous set belongs to, or the name of another set. */
    private static String user(KernelTable table, KernelSet set) {
        for (KernelChain chain : table.chains()) {
            for (TableRule rule : chain.rules()) {
                boolean isUser = rule.expressions().stream()
                        .anyMatch(it -> it.name().equals("lookup")
                                && it.text(NfTables.NFTA_LOOKUP_SET).equals(Optional.of(set.name())));
                if (isUser && set.name().startsWith("__set")) {
                    return '"' + rule.comment() + "\", chain " + chain.name();
                }
            }
        }
        return "set " + set.name();
    }

    private static KernelChain replaced(KernelChain chain, List<TableRule> rules) {
        return new KernelChain(chain.name(), chain.hook(), rules);
    }

    private static PlannedNamespace with(PlannedNamespace namespace, KernelTable table, KernelChain chain) {
        return namespace.withTables(replaced(
                namespace.tables(),
                table,
                new KernelTable(
                        table.family(),
                        table.name(),
                        false,
                        table.chains().stream()
                                .map(other -> other.name().equals(chain.name()) ? chain : other)
                                .toList(),
                        table.sets(),
                        List.of())));
    }

    private static List<KernelTable> replaced(List<KernelTable> tables, KernelTable old, KernelTable table) {
        return tables.stream().map(other -> other.equals(old) ? table : other).toList();
    }

    private static <T> List<T> without(List<T> all, T one) {
        return all.stream().filter(other -> !other.equals(one)).toList();
    }
}
