// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.nft.KernelRuleset;
import io.culvert.packetpath.PacketFields;
import io.culvert.packetpath.PacketPath;
import io.culvert.packetpath.PacketPath.Departure;
import io.culvert.packetpath.PacketPath.Layers;
import io.culvert.packetpath.PacketSets;
import io.culvert.packetpath.Step;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What happens to packets of one description, and which decisions lead to it.
 *
 * @param packet the description
 * @param path the decisions in order
 * @param result in words
 * @param isAllowed whether none of them leaves that the promise does not list
 */
public record PacketExplanation(String packet, List<String> path, List<String> result, boolean isAllowed) {

    public PacketExplanation {
        path = List.copyOf(path);
        result = List.copyOf(result);
    }

    /**
     * Follows the packets.
     *
     * @throws ProblemException if the query names a link that does not exist
     */
    public static PacketExplanation of(
            PacketQuery query, RoutingState routing, KernelRuleset ruleset, Promise promise) {
        return new Evaluation(query, routing, ruleset, promise).explain();
    }

    /** The path of the packets of one query. */
    private static final class Evaluation {

        private final PacketQuery query;
        private final RoutingState routing;
        private final Promise promise;
        private final PacketSets sets = new PacketSets();
        private final PacketPath<Integer> path;
        private final PacketFields<Integer> fields;
        private final List<String> steps = new ArrayList<>();
        private final Set<String> results = new LinkedHashSet<>();
        private boolean isAllowed = true;

        Evaluation(PacketQuery query, RoutingState routing, KernelRuleset ruleset, Promise promise) {
            this.query = query;
            this.routing = routing;
            this.promise = promise;
            path = new PacketPath<>(sets, routing, ruleset.tables(), Layers.BOTH);
            fields = PacketFields.any(sets, query.family(), path.linkBits());
        }

        PacketExplanation explain() {
            Integer packets = described();
            if (query.from().isPresent()) {
                path.receive(fields, link(query.from().get()), packets).forEach(arrival -> {
                    add(arrival.forwarded().steps(), packets);
                    if (!sets.isNo(arrival.delivered())) {
                        results.add("is delivered to this machine");
                    }
                    depart(arrival.forwarded());
                });
            } else {
                Integer hasAddress = query.source().isPresent() ? sets.yes() : sets.no();
                path.send(fields, packets, hasAddress).forEach(departure -> {
                    add(departure.steps(), packets);
                    depart(departure);
                });
            }
            if (results.isEmpty()) {
                results.add("does not leave");
            }
            List<String> notes = new ArrayList<>(path.notes());
            notes.addAll(path.routeNotes());
            notes.forEach(note -> results.add("may leave in a way that is not followed: " + note));
            return new PacketExplanation(query.text(), steps, List.copyOf(results), isAllowed && notes.isEmpty());
        }

        private StateLink link(String name) {
            return routing.links().stream()
                    .filter(link -> link.name().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new ProblemException(Problem.input(
                            new Location.CommandLine("culvert audit --packet"),
                            "there is no link '" + name + "'",
                            "use one of "
                                    + String.join(
                                            ", ",
                                            routing.links().stream()
                                                    .map(StateLink::name)
                                                    .toList()))));
        }

        private Integer described() {
            List<Integer> all = new ArrayList<>();
            all.add(sets.equal(fields.protocol(), query.protocol()));
            all.add(sets.isIn(fields.destination(), Prefix.host(query.destination())));
            query.destinationPort().ifPresent(port -> all.add(sets.equal(fields.destinationPort(), port)));
            query.sourcePort().ifPresent(port -> all.add(sets.equal(fields.sourcePort(), port)));
            source().ifPresent(all::add);
            all.add(sets.equal(fields.mark(), query.mark()));
            all.add(sets.equal(
                    fields.boundLink(),
                    query.boundLink().map(name -> path.link(link(name))).orElse(0)));
            all.add(query.isReply() ? fields.isReply() : sets.not(fields.isReply()));
            boolean isInbound = query.isReply()
                    || query.from()
                            .filter(link -> !promise.innerLinks().contains(link))
                            .isPresent();
            all.add(isInbound ? fields.isInbound() : sets.not(fields.isInbound()));
            all.add(sets.equal(
                    fields.connectionState(),
                    query.isReply() ? PacketFields.STATE_ESTABLISHED : PacketFields.STATE_NEW));
            all.add(sets.equal(fields.connectionMark(), query.isReply() ? Marks.INBOUND : 0));
            all.add(sets.not(fields.isLaterFragment()));
            all.add(sets.equal(fields.user(), 0));
            Integer packets = sets.yes();
            for (Integer condition : all) {
                packets = sets.and(packets, condition);
            }
            return packets;
        }

        private Optional<Integer> source() {
            if (query.source().isPresent()) {
                return Optional.of(
                        sets.isIn(fields.source(), Prefix.host(query.source().get())));
            }
            List<Prefix> own = routing.addresses(query.family());
            return query.from().isPresent() || own.isEmpty()
                    ? Optional.empty()
                    : Optional.of(sets.anyOf(own.stream()
                            .map(address -> sets.isIn(fields.source(), Prefix.host(address.address())))
                            .toList()));
        }

        private void add(List<Step<Integer>> taken, Integer packets) {
            for (Step<Integer> step : taken) {
                if (!sets.isNo(sets.and(step.packets(), packets))) {
                    String line = step.where() + ": " + step.what() + ", " + effect(step.effect())
                            + (sets.isSubset(packets, step.packets()) ? "" : " (for some of them)");
                    if (!steps.contains(line)) {
                        steps.add(line);
                    }
                }
            }
        }

        private static String effect(Step.Effect effect) {
            return switch (effect) {
                case ACCEPT -> "accepts";
                case DROP -> "blocks";
                case ROUTE -> "routes";
            };
        }

        private void depart(Departure<Integer> departure) {
            for (StateLink link : routing.links()) {
                Integer packets = path.leaving(departure, link);
                if (sets.isNo(packets)) {
                    continue;
                }
                if (promise.innerLinks().contains(link.name())) {
                    results.add("leaves by " + link.name() + ", inside");
                } else if (!link.isLoopback()) {
                    leave(link, packets, departure);
                }
            }
        }

        private void leave(StateLink link, Integer packets, Departure<Integer> departure) {
            Integer rest = packets;
            for (Allowance allowance : promise.leaving(query.from())) {
                Integer allowed = allowance.matches(sets, fields, departure.sent());
                if (!sets.isNo(sets.and(rest, allowed))) {
                    results.add("leaves by " + link.name() + ", allowed as: " + allowance.sentence());
                    rest = sets.and(rest, sets.not(allowed));
                }
            }
            if (!sets.isNo(rest)) {
                results.add("may leave by " + link.name() + ", NOT ALLOWED by the settings");
                isAllowed = false;
            }
        }
    }

    public String text() {
        List<String> lines = new ArrayList<>(List.of(packet));
        path.forEach(step -> lines.add("  " + step));
        result.forEach(sentence -> lines.add("=> " + sentence));
        return String.join("\n", lines);
    }

    public JsonObject toJson() {
        return Json.createObjectBuilder()
                .add("packet", packet)
                .add("path", Json.createArrayBuilder(path))
                .add("result", Json.createArrayBuilder(result))
                .add("allowed", isAllowed)
                .build();
    }
}
