// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.net.Transport;
import io.culvert.rtnl.LookupRoute;
import io.culvert.rtnl.LookupRule;
import io.culvert.rtnl.LookupRule.Action;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Looks routes up by the rules and tables of a namespace, as the kernel does. */
final class RouteEvaluator<B> {

    /**
     * What a route is looked up for.
     *
     * @param source 0 if the socket has none yet
     * @param user 0 for packets without a socket
     * @param inputLink the loopback interface for packets of local processes
     * @param boundLink none if the socket is bound to no link
     * @param isLocal whether it is for a packet of a local process
     */
    record Query<B>(
            Family family,
            List<B> source,
            List<B> destination,
            List<B> protocol,
            List<B> sourcePort,
            List<B> destinationPort,
            List<B> mark,
            List<B> user,
            List<B> inputLink,
            List<B> boundLink,
            boolean isLocal) {

        static <B> Query<B> of(
                PacketState<B> packet, List<B> source, List<B> user, List<B> boundLink, boolean isLocal) {
            return new Query<>(
                    packet.family(),
                    source,
                    packet.destination(),
                    packet.protocol(),
                    packet.sourcePort(),
                    packet.destinationPort(),
                    packet.mark(),
                    user,
                    packet.inputLink(),
                    boundLink,
                    isLocal);
        }
    }

    /**
     * The result of a lookup.
     *
     * @param link the link of those that are sent; 0 for others
     * @param delivered packets to this machine itself
     * @param sent packets with a route through a link
     */
    record Result<B>(List<B> link, B delivered, B sent) {}

    private final Logic<B> logic;
    private final RoutingState routing;
    private final Links links;
    private final Notes notes;
    private final Consumer<Step<B>> trace;
    private final Map<Family, Map<Long, List<LookupRoute>>> tables = new HashMap<>();
    private final Map<TableQuery<B>, TableResult<B>> decisions = new HashMap<>();

    RouteEvaluator(Logic<B> logic, RoutingState routing, Links links, Notes notes, Consumer<Step<B>> trace) {
        this.logic = logic;
        this.routing = routing;
        this.links = links;
        this.notes = notes;
        this.trace = trace;
        for (Family family : Family.values()) {
            Map<Long, List<LookupRoute>> byTable = new HashMap<>();
            for (LookupRoute route : routing.routes(family)) {
                byTable.computeIfAbsent(route.table(), _ -> new ArrayList<>()).add(route);
            }
            byTable.values()
                    .forEach(routes -> routes.sort(Comparator.comparingInt(
                                    (LookupRoute route) -> -route.destination().length())
                            .thenComparingInt(route -> -route.source().length())
                            .thenComparingInt(route -> -route.typeOfService())
                            .thenComparingLong(LookupRoute::metric)));
            tables.put(family, byTable);
        }
    }

    /** The result while it is being found, rule by rule. */
    private final class Lookup {

        private final Query<B> query;
        private final List<List<B>> link = new ArrayList<>();
        private B delivered = logic.no();
        private B sent = logic.no();

        Lookup(Query<B> query) {
            this.query = query;
            links.all().forEach(_ -> link.add(new ArrayList<>()));
        }

        /** Returns the packets without a result so far that this rule does not decide about. */
        B evaluate(Action action, B packets, String rule) {
            return switch (action) {
                case Action.LookupTable table -> logic.and(packets, logic.not(lookUp(table, packets, rule)));
                case Action.None _, Action.GotoRule _ -> packets;
                case Action.Block _ -> {
                    trace.accept(new Step<>("route", rule, Step.Effect.DROP, packets));
                    yield logic.no();
                }
                case Action.LookupVirtualRouter _ when !hasVirtualRouters() -> packets;
                case Action.LookupVirtualRouter _, Action.Unknown _ -> {
                    notes.add("'" + rule + "' is not known");
                    add(packets, links.unknown(logic));
                    sent = logic.or(sent, packets);
                    yield logic.no();
                }
            };
        }

        /** Returns whether a link belongs to a virtual router, or is one. */
        private boolean hasVirtualRouters() {
            return links.all().stream().anyMatch(StateLink::isVirtualRouter);
        }

        /** Returns the packets that the table decides about, at least. */
        private B lookUp(Action.LookupTable table, B packets, String rule) {
            TableResult<B> result = decisions(table, query);
            add(packets, result.link());
            delivered = logic.or(delivered, logic.and(packets, result.delivered()));
            sent = logic.or(sent, logic.and(packets, result.sent()));
            for (Step<B> step : result.steps()) {
                B here = logic.and(packets, step.packets());
                if (!logic.isNo(here)) {
                    trace.accept(new Step<>("route", rule + ", " + step.what(), step.effect(), here));
                }
            }
            result.notes().forEach((note, where) -> {
                if (!logic.isNo(logic.and(packets, where))) {
                    notes.add(note);
                }
            });
            return result.decided();
        }

        /** Adds packets, which have no link yet. */
        private void add(B packets, List<B> to) {
            for (int i = 0; i < to.size(); i++) {
                B these = logic.and(packets, to.get(i));
                if (!logic.isNo(these)) {
                    link.get(i).add(these);
                }
            }
        }

        Result<B> result() {
            return new Result<>(link.stream().map(logic::anyOf).toList(), delivered, sent);
        }
    }

    /**
     * What a table decides about all packets, whichever rule asks it.
     *
     * @param link the link of those that are sent; none for others
     * @param decided packets with a route, or that a route blocks
     * @param steps the routes with their packets
     * @param notes what is not modelled, with the packets that it concerns
     */
    private record TableResult<B>(
            List<B> link, B delivered, B sent, B decided, List<Step<B>> steps, Map<String, B> notes) {}

    /**
     * What the result of a table depends on.
     *
     * @param source empty where no route has one
     */
    private record TableQuery<B>(
            Family family,
            Action.LookupTable table,
            List<B> destination,
            List<B> source,
            List<B> boundLink,
            boolean isLocal) {}

    private TableResult<B> decisions(Action.LookupTable table, Query<B> query) {
        List<LookupRoute> routes = tables.getOrDefault(query.family(), Map.of()).getOrDefault(table.table(), List.of());
        boolean hasSources = routes.stream().anyMatch(route -> route.source().length() > 0);
        TableQuery<B> key = new TableQuery<>(
                query.family(),
                table,
                query.destination(),
                hasSources ? query.source() : List.of(),
                query.boundLink(),
                query.isLocal());
        TableResult<B> known = decisions.get(key);
        if (known != null) {
            return known;
        }
        TableLookup lookup = new TableLookup(table, query);
        TableResult<B> result = lookup.evaluate(routes);
        if (!lookup.isUncertain) {
            // What is not known may be different at the next lookup.
            decisions.put(key, result);
        }
        return result;
    }

    /** Evaluates one table. */
    private final class TableLookup {

        private final Action.LookupTable table;
        private final Query<B> query;
        private final List<List<B>> link = new ArrayList<>();
        private B delivered = logic.no();
        private B sent = logic.no();

        /** Packets whose route the rule ignores. */
        private B suppressed = logic.no();

        private final List<Step<B>> steps = new ArrayList<>();
        private final Map<String, B> uncertain = new HashMap<>();
        private boolean isUncertain;

        TableLookup(Action.LookupTable table, Query<B> query) {
            this.table = table;
            this.query = query;
            links.all().forEach(_ -> link.add(new ArrayList<>()));
        }

        TableResult<B> evaluate(List<LookupRoute> routes) {
            B here = logic.yes();
            int i = 0;
            while (i < routes.size() && !logic.isNo(here)) {
                // Routes that are equally good: the kernel takes any of them.
                int end = i + 1;
                while (end < routes.size() && isEquallyGood(routes.get(i), routes.get(end))) {
                    end++;
                }
                List<LookupRoute> equal = routes.subList(i, end);
                B matching = logic.and(here, matches(equal.getFirst()));
                if (!logic.isNo(matching)) {
                    here = logic.and(here, logic.not(logic.and(matching, take(equal, matching))));
                }
                i = end;
            }
            return new TableResult<>(
                    link.stream().map(logic::anyOf).toList(),
                    delivered,
                    sent,
                    logic.not(logic.or(here, suppressed)),
                    steps,
                    uncertain);
        }

        private B unknown() {
            isUncertain = true;
            return logic.unknown();
        }

        /** Applies the first route that is usable; returns where there is one. */
        private B take(List<LookupRoute> routes, B packets) {
            B rest = packets;
            B taken = logic.no();
            for (int i = 0; i < routes.size(); i++) {
                LookupRoute route = routes.get(i);
                B usable = logic.and(rest, isUsable(route));
                List<B> others = new ArrayList<>();
                routes.subList(i + 1, routes.size()).forEach(other -> others.add(isUsable(other)));
                usable = logic.and(usable, mayBeTaken(others));
                if (logic.isNo(usable)) {
                    continue;
                }
                taken = logic.or(taken, usable);
                apply(route, usable);
                rest = logic.and(rest, logic.not(usable));
            }
            return taken;
        }

        private void apply(LookupRoute route, B packets) {
            boolean isShort = table.suppressPrefixLength().isPresent()
                    && route.destination().length()
                            <= table.suppressPrefixLength().getAsInt();
            switch (route.kind()) {
                case THROW -> suppressed = logic.or(suppressed, packets);
                case BLOCK -> trace(text(route), Step.Effect.DROP, packets);
                case UNICAST, LOCAL, BROADCAST -> {
                    if (isShort) {
                        suppressed = logic.or(suppressed, packets);
                    } else if (!route.isUnderstood()) {
                        uncertain.merge(
                                "the route '" + text(route) + "' has properties that are not known",
                                packets,
                                logic::or);
                        sendAnywhere(packets);
                    } else if (isForThisMachine(route)) {
                        // Which multicast addresses it listens to is not known.
                        delivered = logic.or(delivered, isMulticast(route) ? logic.and(packets, unknown()) : packets);
                        trace(text(route) + ", to this machine", Step.Effect.ROUTE, packets);
                    } else {
                        send(route, packets);
                    }
                }
            }
        }

        private void trace(String what, Step.Effect effect, B packets) {
            steps.add(new Step<>("route", what, effect, packets));
        }

        /**
         * Returns whether packets are not sent: those to an address of this machine, and from outside those to broadcast and
         * anycast addresses, and in IPv6 by any route to multicast addresses only (ip6_rt_init_dst).
         */
        private boolean isForThisMachine(LookupRoute route) {
            return route.kind() == LookupRoute.Kind.LOCAL
                    || (!query.isLocal() && (route.kind() == LookupRoute.Kind.BROADCAST || isMulticast(route)));
        }

        private boolean isMulticast(LookupRoute route) {
            return route.family() == Family.IPV6
                    && route.destination().address().isMulticastAddress();
        }

        private void send(LookupRoute route, B packets) {
            B rest = packets;
            List<LookupRoute.Hop> hops = route.hops();
            for (int i = 0; i < hops.size(); i++) {
                Optional<StateLink> out = links.byIndex(hops.get(i).link());
                B through = logic.and(rest, mayUse(route, hops.get(i)));
                List<B> others = new ArrayList<>();
                hops.subList(i + 1, hops.size()).forEach(other -> others.add(mayUse(route, other)));
                through = logic.and(through, mayBeTaken(others));
                if (out.isEmpty() || logic.isNo(through)) {
                    continue;
                }
                StateLink target = out.get();
                if (table.suppressGroup().isPresent() && table.suppressGroup().getAsLong() == target.group()) {
                    suppressed = logic.or(suppressed, through);
                } else if (target.isLoopback()) {
                    delivered = logic.or(delivered, through);
                } else {
                    link.get(links.all().indexOf(target)).add(through);
                    sent = logic.or(sent, through);
                    trace(text(route) + ", to " + target.name(), Step.Effect.ROUTE, through);
                }
                rest = logic.and(rest, logic.not(through));
            }
        }

        /** Of several, the kernel takes any; the only usable one is taken. */
        private B mayBeTaken(List<B> others) {
            B isAnother = logic.anyOf(others);
            return logic.isNo(isAnother) ? logic.yes() : logic.or(unknown(), logic.not(isAnother));
        }

        /** For what is not known: through any link. */
        private void sendAnywhere(B packets) {
            isUncertain = true;
            List<B> any = links.unknown(logic);
            for (int i = 0; i < any.size(); i++) {
                link.get(i).add(logic.and(packets, any.get(i)));
            }
            sent = logic.or(sent, packets);
        }

        private B matches(LookupRoute route) {
            B matches = logic.and(
                    logic.isIn(query.destination(), route.destination()), logic.isIn(query.source(), route.source()));
            return route.typeOfService() == 0 ? matches : logic.and(matches, unknown());
        }

        /** Returns where the route can be used by a socket that is bound to a link. */
        private B isUsable(LookupRoute route) {
            B isUnbound = links.isNone(logic, query.boundLink());
            if (route.kind() == LookupRoute.Kind.BLOCK || route.kind() == LookupRoute.Kind.THROW) {
                // IPv6 gives these routes the loopback interface, so that a socket bound to another one does not match.
                return route.family() == Family.IPV4 ? logic.yes() : isUnbound;
            }
            if (!route.isUnderstood()) {
                return logic.yes();
            }
            List<B> usable = new ArrayList<>();
            route.hops().forEach(hop -> usable.add(mayUse(route, hop)));
            return logic.anyOf(usable);
        }

        /** An address of this machine is its own while its link is down, too. */
        private B mayUse(LookupRoute route, LookupRoute.Hop hop) {
            Optional<StateLink> out = links.byIndex(hop.link());
            if (out.isEmpty() || (!out.get().isUp() && route.kind() != LookupRoute.Kind.LOCAL)) {
                return logic.no();
            }
            B isBoundTo = logic.or(links.isNone(logic, query.boundLink()), links.is(query.boundLink(), out.get()));
            return hop.isUsable() ? isBoundTo : logic.and(isBoundTo, unknown());
        }
    }

    /**
     * Returns whether the kernel may take either of two successive routes of a table: of IPv6 with the same metric, and of IPv4
     * such default routes, of whose gateways it prefers one that answers (fib_select_default).
     */
    private static boolean isEquallyGood(LookupRoute a, LookupRoute b) {
        boolean isChosenByGateway = a.destination().isDefault()
                && a.kind() == LookupRoute.Kind.UNICAST
                && b.kind() == LookupRoute.Kind.UNICAST
                && a.typeOfService() == b.typeOfService();
        return (a.family() == Family.IPV6 || isChosenByGateway)
                && a.destination().equals(b.destination())
                && a.source().equals(b.source())
                && a.metric() == b.metric();
    }

    /** Looks up a route for these packets; others have no result. */
    Result<B> lookUp(Query<B> query, B packets) {
        Lookup lookup = new Lookup(query);
        List<LookupRule> rules = routing.rules(query.family());
        Map<Integer, B> skipped = new HashMap<>();
        B here = packets;
        for (int i = 0; i < rules.size(); i++) {
            here = logic.or(here, skipped.getOrDefault(i, logic.no()));
            LookupRule rule = rules.get(i);
            B matching = logic.and(here, matches(rule, query));
            if (logic.isNo(matching)) {
                continue;
            }
            if (rule.action() instanceof Action.GotoRule(long preference)) {
                int target = target(rules, i, preference);
                if (target > 0) {
                    skipped.merge(target, matching, logic::or);
                    here = logic.and(here, logic.not(matching));
                }
                continue;
            }
            B undecided = lookup.evaluate(rule.action(), matching, rule.text());
            here = logic.or(logic.and(here, logic.not(matching)), undecided);
        }
        return lookup.result();
    }

    /** Returns the index of the first rule with this preference; 0 if there is none. */
    private static int target(List<LookupRule> rules, int from, long preference) {
        for (int i = from + 1; i < rules.size(); i++) {
            if (rules.get(i).preference() == preference) {
                return i;
            }
        }
        return 0;
    }

    private B matches(LookupRule rule, Query<B> query) {
        B matches = logic.yes();
        if (rule.inputLink().isPresent()) {
            matches = logic.and(
                    matches, isLink(query.inputLink(), rule.inputLink().get()));
        }
        if (rule.outputLink().isPresent()) {
            matches = logic.and(
                    matches, isLink(query.boundLink(), rule.outputLink().get()));
        }
        if (rule.mark().isPresent()) {
            matches = logic.and(matches, logic.matches(query.mark(), rule.mark().get()));
        }
        if (rule.protocol().isPresent()) {
            matches = logic.and(
                    matches, logic.equal(query.protocol(), rule.protocol().getAsInt()));
        }
        if (rule.sourcePorts().isPresent()) {
            matches = logic.and(
                    matches, ports(query, query.sourcePort(), rule.sourcePorts().get()));
        }
        if (rule.destinationPorts().isPresent()) {
            matches = logic.and(
                    matches,
                    ports(
                            query,
                            query.destinationPort(),
                            rule.destinationPorts().get()));
        }
        if (rule.uids().isPresent()) {
            matches = logic.and(
                    matches,
                    logic.between(
                            query.user(),
                            rule.uids().get().first(),
                            rule.uids().get().last()));
        }
        if (rule.to().isPresent()) {
            matches =
                    logic.and(matches, logic.isIn(query.destination(), rule.to().get()));
        }
        if (rule.from().isPresent()) {
            // Without a source address, IPv6 compares nothing, so that not even ::/1 matches (fib6_rule_match).
            boolean isCompared =
                    query.family() == Family.IPV4 || !query.source().stream().allMatch(logic::isNo);
            matches = isCompared
                    ? logic.and(matches, logic.isIn(query.source(), rule.from().get()))
                    : logic.no();
        }
        if (rule.hasOtherCondition()) {
            matches = logic.and(matches, logic.unknown());
        }
        return rule.isInverted() ? logic.not(matches) : matches;
    }

    /** Of other protocols, the kernel may compare something else, or nothing. */
    private B ports(Query<B> query, List<B> port, LookupRule.PortRange range) {
        B hasPorts = logic.or(
                logic.equal(query.protocol(), Transport.TCP.number()),
                logic.equal(query.protocol(), Transport.UDP.number()));
        return logic.choose(hasPorts, logic.between(port, range.first(), range.last()), logic.unknown());
    }

    private B isLink(List<B> which, String name) {
        return links.byName(name).map(link -> links.is(which, link)).orElseGet(logic::no);
    }

    private String text(LookupRoute route) {
        StringBuilder text = new StringBuilder(
                route.destination().isDefault()
                        ? "default"
                        : route.destination().toString());
        route.hops()
                .forEach(hop -> links.byIndex(hop.link())
                        .ifPresent(link -> text.append(" dev ").append(link.name())));
        return switch (route.kind()) {
            case BLOCK -> "unreachable " + text;
            case THROW -> "throw " + text;
            case UNICAST, LOCAL, BROADCAST -> text.toString();
        };
    }
}
