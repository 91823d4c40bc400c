// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.audit.Violation.JudgedLayers;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.KernelRuleset;
import io.culvert.nft.KernelTable;
import io.culvert.packetpath.AllPackets;
import io.culvert.packetpath.ExamplePacket;
import io.culvert.packetpath.ExamplePacket.Way;
import io.culvert.packetpath.Exposure;
import io.culvert.packetpath.PacketFields;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.packetpath.PacketPath.SentFields;
import io.culvert.packetpath.PacketSets;
import io.culvert.packetpath.PacketSets.Example;
import io.culvert.packetpath.Step;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Compares all packets that may pass a network namespace, by the kernel's own state, with a promise. It knows nothing of the
 * plan, so that it also finds what the plan itself lets out by mistake.
 */
public final class Audit {

    private final RoutingState routing;
    private final KernelRuleset ruleset;
    private final Promise promise;
    private final PacketSets sets = new PacketSets();
    private final Map<Family, AllPackets> packets = new EnumMap<>(Family.class);
    private final Map<Family, Exposure> withAnyRoute = new EnumMap<>(Family.class);
    private final Map<OpeningKey, OpeningValue> outgoing = new LinkedHashMap<>();
    private final Map<OpeningKey, OpeningValue> forwarded = new LinkedHashMap<>();
    private final Map<OpeningKey, OpeningValue> incoming = new LinkedHashMap<>();
    private final Set<Violation> violations = new LinkedHashSet<>();
    private final Set<String> deciding = new LinkedHashSet<>();
    private final List<Unpromised> unpromised = new ArrayList<>();

    /** Whether it is to be reported what passes of the allowances; to find the rules takes as long as all else. */
    private final boolean isReporting;

    /**
     * Packets that the promise does not list.
     *
     * @param packets in terms of the exposure that was judged
     * @param last the fields that they are sent or delivered with
     * @param steps the decisions on their way, also those on other packets
     */
    record Unpromised(
            Way way,
            Optional<String> from,
            String link,
            Integer packets,
            SentFields<Integer> last,
            List<Step<Integer>> steps) {

        Unpromised {
            steps = List.copyOf(steps);
        }

        String sentence(ExamplePacket example) {
            String who = from.map(name -> "forwarded from " + name + " ").orElse("");
            return who + (way == Way.RECEIVED ? "may come in through " : "may leave by ") + link + ": "
                    + example.text();
        }
    }

    private record OpeningKey(String link, Optional<String> from, String sentence) {}

    private record OpeningValue(Set<Family> families, Set<String> rules) {}

    private Audit(RoutingState routing, KernelRuleset ruleset, Promise promise, boolean isReporting) {
        this.routing = routing;
        this.ruleset = ruleset;
        this.promise = promise;
        this.isReporting = isReporting;
    }

    /** Judges both layers together, and each alone. */
    public static AuditReport of(RoutingState routing, KernelRuleset ruleset, Promise promise) {
        Audit audit = new Audit(routing, ruleset, promise, true);
        for (JudgedLayers layers : JudgedLayers.values()) {
            audit.judgeTables(layers);
            for (Family family : Family.values()) {
                audit.judge(layers, audit.exposure(layers, family));
            }
        }
        return audit.report();
    }

    /** Judges both layers together. */
    public static List<Violation> violations(RoutingState routing, KernelRuleset ruleset, Promise promise) {
        Audit audit = new Audit(routing, ruleset, promise, false);
        audit.judgeTables(JudgedLayers.BOTH);
        for (Family family : Family.values()) {
            // What does not pass the rules with any route does not pass with the real ones, and is found out many times
            // faster.
            if (!audit.isClean(audit.exposure(JudgedLayers.NFTABLES, family))) {
                audit.judge(JudgedLayers.BOTH, audit.exposure(JudgedLayers.BOTH, family));
            }
        }
        return List.copyOf(audit.violations);
    }

    /** Returns what may leave or come in by an exposure, which is that of these layers, and is not promised. */
    static List<Unpromised> unpromised(Exposure exposure, RoutingState routing, Promise promise, JudgedLayers layers) {
        Audit audit = new Audit(routing, new KernelRuleset(Optional.empty(), List.of(), List.of()), promise, false);
        audit.judge(layers, exposure);
        return List.copyOf(audit.unpromised);
    }

    private void judgeTables(JudgedLayers layers) {
        if (layers != JudgedLayers.ROUTING) {
            ruleset.unreadable()
                    .forEach(table -> violations.add(new Violation(
                            layers,
                            "anything may leave: table '" + table.table() + "' is not understood (" + table.reason()
                                    + ")",
                            List.of())));
            ForeignState.effects(ruleset.tables())
                    .forEach(effect ->
                            violations.add(new Violation(layers, "anything may leave: " + effect, List.of())));
        }
    }

    private Exposure exposure(JudgedLayers layers, Family family) {
        AllPackets all = packets.computeIfAbsent(family, _ -> AllPackets.of(sets, routing, family));
        return switch (layers) {
            case BOTH -> exposure(JudgedLayers.NFTABLES, family).withRoutes();
            case ROUTING -> new Exposure(all, routing, ruleset.tables(), promise.innerLinks(), Layers.ROUTING);
            case NFTABLES ->
                withAnyRoute.computeIfAbsent(
                        family,
                        _ -> new Exposure(all, routing, ruleset.tables(), promise.innerLinks(), Layers.FIREWALL));
        };
    }

    private boolean isClean(Exposure exposure) {
        return exposure.notes().isEmpty()
                && exposure.outgoing().stream().allMatch(out -> sets.isNo(rest(JudgedLayers.NFTABLES, exposure, out)))
                && exposure.incoming().stream().allMatch(in -> sets.isNo(rest(exposure, in)));
    }

    private void judge(JudgedLayers layers, Exposure exposure) {
        List<String> notes = new ArrayList<>(exposure.notes());
        if (layers == JudgedLayers.ROUTING) {
            notes.addAll(exposure.routeNotes());
        }
        notes.forEach(note -> violations.add(new Violation(layers, "anything may leave: " + note, List.of())));
        for (Exposure.Outgoing out : exposure.outgoing()) {
            violation(
                    layers,
                    exposure,
                    new Unpromised(
                            out.from().isPresent() ? Way.FORWARDED : Way.SENT,
                            out.from().map(StateLink::name),
                            out.link().name(),
                            rest(layers, exposure, out),
                            out.sent(),
                            out.steps()));
        }
        if (layers == JudgedLayers.BOTH) {
            for (Exposure.Incoming in : exposure.incoming()) {
                violation(
                        layers,
                        exposure,
                        new Unpromised(
                                Way.RECEIVED,
                                Optional.empty(),
                                in.link().name(),
                                rest(exposure, in),
                                in.delivered(),
                                in.steps()));
            }
        }
    }

    /** Records what leaves of the allowances, and returns the packets that are in none. */
    private Integer rest(JudgedLayers layers, Exposure exposure, Exposure.Outgoing out) {
        Optional<String> from = out.from().map(StateLink::name);
        if (layers == JudgedLayers.ROUTING
                && from.isPresent()
                && !promise.clientLinks().contains(from.get())
                && (promise.gatewayClients().isEmpty() || promise.innerLinks().contains(from.get()))) {
            // Routing rules are not to keep other machines, or the provider, from using this one as a gateway.
            return sets.no();
        }
        return open(
                layers,
                exposure,
                from.isPresent() ? forwarded : outgoing,
                out.link().name(),
                from,
                layers == JudgedLayers.ROUTING ? routed(exposure, out) : out.packets(),
                out.sent(),
                layers == JudgedLayers.ROUTING ? promise.leavingByRouting(from) : promise.leaving(from),
                from.isPresent() ? Way.FORWARDED : Way.SENT,
                out.steps());
    }

    /** Records what comes in of the allowances, and returns the packets that are in none. */
    private Integer rest(Exposure exposure, Exposure.Incoming in) {
        String link = in.link().name();
        boolean isInside = promise.innerLinks().contains(link);
        List<Allowance> allowances = promise.incoming().stream()
                .filter(allowance -> allowance.from().map(link::equals).orElse(!isInside))
                .toList();
        return open(
                JudgedLayers.BOTH,
                exposure,
                incoming,
                link,
                Optional.empty(),
                in.packets(),
                in.delivered(),
                allowances,
                Way.RECEIVED,
                in.steps());
    }

    /**
     * Returns the packets that routing rules alone are to keep: of sockets that are bound to no link, before they are
     * fragmented, and of exit-node clients. The mesh accepts no address of this machine as their source.
     */
    private Integer routed(Exposure exposure, Exposure.Outgoing out) {
        PacketSets sets = exposure.sets();
        PacketFields<Integer> fields = exposure.fields();
        Integer whole = sets.and(out.packets(), sets.not(fields.isLaterFragment()));
        if (out.from().isEmpty()) {
            return sets.and(whole, exposure.isBoundToNoLink());
        }
        List<Prefix> own = routing.addresses(fields.family()).stream()
                .map(address -> Prefix.host(address.address()))
                .toList();
        TrafficPattern gatewayClients = TrafficPattern.of(it -> it.sources = promise.gatewayClients());
        TrafficPattern fromHere = TrafficPattern.of(it -> it.sources = own);
        Integer isImpossible = sets.or(
                sets.not(sets.equal(fields.mark(), 0)),
                own.isEmpty() ? sets.no() : fromHere.matches(sets, fields, out.sent()));
        Integer possible = sets.and(whole, sets.not(isImpossible));
        return out.from()
                        .filter(link -> promise.clientLinks().contains(link.name()))
                        .isPresent()
                ? possible
                : sets.and(possible, gatewayClients.matches(sets, fields, out.sent()));
    }

    /** Records what passes of the allowances, and returns the packets that are in none. */
    private Integer open(
            JudgedLayers layers,
            Exposure exposure,
            Map<OpeningKey, OpeningValue> openings,
            String link,
            Optional<String> from,
            Integer packets,
            SentFields<Integer> last,
            List<Allowance> allowances,
            Way way,
            List<Step<Integer>> steps) {
        PacketSets sets = exposure.sets();
        boolean isReported = layers == JudgedLayers.BOTH && isReporting;
        if (isReported) {
            noteDeciding(sets, packets, steps);
        }
        Integer rest = packets;
        for (Allowance allowance : allowances) {
            if (sets.isNo(rest)) {
                break;
            }
            Integer allowed = allowance.matches(sets, exposure.fields(), last);
            Integer open = sets.and(rest, allowed);
            if (!sets.isNo(open)) {
                rest = sets.and(rest, sets.not(allowed));
                if (isReported) {
                    OpeningValue value = openings.computeIfAbsent(
                            new OpeningKey(link, from, allowance.sentence()),
                            _ -> new OpeningValue(new LinkedHashSet<>(), new LinkedHashSet<>()));
                    value.families().add(exposure.fields().family());
                    for (TrafficPattern pattern : allowance.patterns()) {
                        Integer kind = sets.and(open, pattern.matches(sets, exposure.fields(), last));
                        ExamplePacket.find(exposure, routing, kind, way, link)
                                .ifPresent(example -> value.rules().addAll(admitting(example, way, link, steps)));
                    }
                }
            }
        }
        return rest;
    }

    /** Returns the route of a packet, and the rule of each table that accepts it at its last hook. */
    private List<String> admitting(Example example, Way way, String link, List<Step<Integer>> steps) {
        String hook = way == Way.RECEIVED ? "input" : "postrouting";
        Map<String, String> byTable = new LinkedHashMap<>();
        for (Step<Integer> step : steps) {
            if (!example.value(step.packets())) {
                continue;
            }
            if (step.effect() == Step.Effect.ROUTE) {
                if (way != Way.RECEIVED && step.what().endsWith("to " + link)) {
                    byTable.put("route", step.what());
                }
            } else if (step.where().equals(hook) && !step.what().endsWith("policy accept") && !isOfOtherPurpose(step)) {
                byTable.put(step.what().substring(0, step.what().indexOf(',')), step.what());
            }
        }
        return List.copyOf(byTable.values());
    }

    /** Returns whether a decision is one of a chain that translates addresses, or that only marks connections. */
    private boolean isOfOtherPurpose(Step<Integer> step) {
        return ruleset.tables().stream()
                .anyMatch(table -> table.chains().stream()
                        .filter(chain -> chain.hook()
                                .filter(hook -> hook.type().equals("nat") || (isOurs(table) && hook.isAccepting()))
                                .isPresent())
                        .anyMatch(chain ->
                                step.what().startsWith("table " + table.fullName() + ", chain " + chain.name() + ",")));
    }

    /** Notes which decisions are on the way of packets that pass. */
    private void noteDeciding(PacketSets sets, Integer packets, List<Step<Integer>> steps) {
        for (Step<Integer> step : steps) {
            if (!deciding.contains(step.what()) && !sets.isNo(sets.and(packets, step.packets()))) {
                deciding.add(step.what());
            }
        }
    }

    private void violation(JudgedLayers layers, Exposure exposure, Unpromised found) {
        if (!sets.isNo(found.packets())) {
            unpromised.add(found);
        }
        ExamplePacket.find(exposure, routing, found.packets(), found.way(), found.link())
                .ifPresent(example -> violations.add(new Violation(
                        layers,
                        found.sentence(ExamplePacket.of(exposure, routing, example, found.last())),
                        path(example, found.steps()))));
    }

    private static List<String> path(Example example, List<Step<Integer>> steps) {
        Set<String> path = new LinkedHashSet<>();
        steps.stream()
                .filter(step -> example.value(step.packets()))
                .forEach(step -> path.add(step.where() + ": " + step.what()));
        return List.copyOf(path);
    }

    private AuditReport report() {
        return new AuditReport(
                routing.links().stream()
                        .filter(link ->
                                !link.isLoopback() && !promise.innerLinks().contains(link.name()))
                        .map(StateLink::name)
                        .toList(),
                openings(outgoing, promise.outgoing()),
                openings(forwarded, promise.forwarded()),
                openings(incoming, promise.incoming()),
                List.copyOf(violations),
                ForeignState.describe(routing, ruleset.tables(), deciding));
    }

    /** Returns them in the order of the promise. */
    private static List<Opening> openings(Map<OpeningKey, OpeningValue> openings, List<Allowance> order) {
        List<String> sentences = order.stream().map(Allowance::sentence).toList();
        return openings.entrySet().stream()
                .sorted(Comparator.comparingInt(
                        entry -> sentences.indexOf(entry.getKey().sentence())))
                .map(entry -> new Opening(
                        entry.getKey().link(),
                        entry.getKey().from(),
                        entry.getKey().sentence(),
                        List.copyOf(entry.getValue().families()),
                        List.copyOf(entry.getValue().rules())))
                .toList();
    }

    /** Returns the names of the tables that are Culvert's. */
    static boolean isOurs(KernelTable table) {
        return table.name().equals("culvert")
                && (table.family() == KernelTable.INET || table.family() == KernelTable.ARP);
    }
}
