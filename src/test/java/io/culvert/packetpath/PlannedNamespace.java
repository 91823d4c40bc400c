// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.net.MaskedMark;
import io.culvert.net.Prefix;
import io.culvert.nft.KernelTable;
import io.culvert.nft.PlannedTables;
import io.culvert.plan.ExitNodePlan;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.LookupRoute;
import io.culvert.rtnl.LookupRule;
import io.culvert.rtnl.LookupRule.Action;
import io.culvert.rtnl.LookupRules;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.Route;
import io.culvert.rtnl.RoutingState;
import io.culvert.rtnl.RoutingState.StateLink;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/** A namespace as the kernel would list it after a plan has been applied. */
public record PlannedNamespace(RoutingState routing, List<KernelTable> tables) {

    private static final long LOCAL_TABLE = 255;
    private static final long DEFAULT_TABLE = 253;

    public static PlannedNamespace of(ExitNodePlan plan) {
        return of(plan.machine(), plan.network(), PlannedTables.of(plan.ruleset()));
    }

    public static PlannedNamespace of(Machine machine, NetworkState network, List<KernelTable> tables) {
        Set<String> names = new LinkedHashSet<>(List.of("lo"));
        machine.uplinks().values().forEach(uplink -> names.add(uplink.link()));
        machine.main().routes().forEach(route -> names.add(route.link()));
        network.links().forEach(link -> names.add(link.name()));
        network.addresses().forEach(address -> names.add(address.link()));
        network.routes().forEach(route -> route.link().ifPresent(names::add));
        // Tailscale creates its own link.
        network.rules().forEach(rule -> rule.selector().inputLink().ifPresent(names::add));
        List<StateLink> links = new ArrayList<>();
        for (String name : names) {
            links.add(new StateLink(links.size() + 1, name, "", true, 0, name.equals("lo"), ""));
        }
        List<LinkAddress> addresses = new ArrayList<>(network.addresses());
        machine.main().addresses().forEach(addresses::add);
        machine.uplinks()
                .values()
                .forEach(uplink -> uplink.addresses().stream()
                        .map(address -> new LinkAddress(uplink.link(), address))
                        .filter(address -> !addresses.contains(address))
                        .forEach(addresses::add));
        List<LookupRule> rules = new ArrayList<>();
        List<LookupRoute> routes = new ArrayList<>();
        for (Family family : Family.values()) {
            rules.add(LookupRules.lookup(family, 0, LOCAL_TABLE));
            rules.add(LookupRules.lookup(family, 32766, Route.MAIN));
            if (family == Family.IPV4) {
                rules.add(LookupRules.lookup(family, 32767, DEFAULT_TABLE));
            }
        }
        network.rules().forEach(rule -> rules.add(lookup(rule)));
        rules.sort(Comparator.comparingLong(LookupRule::preference));
        machine.main()
                .routes()
                .forEach(route -> routes.add(route(
                        Route.MAIN,
                        LookupRoute.Kind.UNICAST,
                        route.destination(),
                        route.metric(),
                        index(links, route.link()),
                        route.gateway())));
        network.routes()
                .forEach(route -> routes.add(route(
                        route.table(),
                        switch (route.type()) {
                            case UNICAST -> LookupRoute.Kind.UNICAST;
                            case UNREACHABLE -> LookupRoute.Kind.BLOCK;
                            case THROW -> LookupRoute.Kind.THROW;
                        },
                        route.destination(),
                        route.metric(),
                        route.link().map(link -> index(links, link)).orElse(0),
                        route.gateway())));
        routes.add(local(Prefix.parse("127.0.0.0/8"), 1));
        routes.add(local(Prefix.parse("::1/128"), 1));
        addresses.forEach(
                address -> routes.add(local(Prefix.host(address.address().address()), index(links, address.link()))));
        links.stream().filter(link -> !link.isLoopback()).forEach(link -> {
            routes.add(route(
                    LOCAL_TABLE,
                    LookupRoute.Kind.BROADCAST,
                    Prefix.parse("ff00::/8"),
                    256,
                    link.index(),
                    Optional.empty()));
            routes.add(route(
                    Route.MAIN,
                    LookupRoute.Kind.UNICAST,
                    Prefix.parse("fe80::/64"),
                    256,
                    link.index(),
                    Optional.empty()));
        });
        if (machine.ipv6().equals(Ipv6.ABSENT)) {
            rules.removeIf(rule -> rule.family() == Family.IPV6);
            routes.removeIf(route -> route.family() == Family.IPV6);
        }
        return new PlannedNamespace(new RoutingState(links, addresses, rules, routes), tables);
    }

    /** Returns the namespace of a plan with a change, which has the same links. */
    public static PlannedNamespace of(ExitNodePlan plan, PlanMutant mutant) {
        PlannedNamespace changed = of(plan.machine(), mutant.network(), PlannedTables.of(mutant.ruleset()));
        List<StateLink> links = of(plan).routing().links();
        if (!changed.routing.links().equals(links)) {
            throw new IllegalArgumentException(mutant + " has other links");
        }
        return changed;
    }

    /** Returns the namespace with those of its routes that a condition is true of. */
    public PlannedNamespace withRoutes(Predicate<LookupRoute> condition) {
        return new PlannedNamespace(
                new RoutingState(
                        routing.links(),
                        routing.addresses(),
                        routing.rules(),
                        routing.routes().stream().filter(condition).toList()),
                tables);
    }

    public PlannedNamespace withRules(Predicate<LookupRule> condition) {
        return new PlannedNamespace(
                new RoutingState(
                        routing.links(),
                        routing.addresses(),
                        routing.rules().stream().filter(condition).toList(),
                        routing.routes()),
                tables);
    }

    /** Returns the namespace after links have vanished, and with them their addresses and routes. */
    public PlannedNamespace withoutLinks(Set<String> names) {
        List<Integer> gone = routing.links().stream()
                .filter(link -> names.contains(link.name()))
                .map(StateLink::index)
                .toList();
        return new PlannedNamespace(
                new RoutingState(
                        routing.links().stream()
                                .filter(link -> !names.contains(link.name()))
                                .toList(),
                        routing.addresses().stream()
                                .filter(address -> !names.contains(address.link()))
                                .toList(),
                        routing.rules(),
                        routing.routes().stream()
                                .filter(route -> route.hops().stream().noneMatch(hop -> gone.contains(hop.link())))
                                .toList()),
                tables);
    }

    public PlannedNamespace withTables(List<KernelTable> others) {
        return new PlannedNamespace(routing, others);
    }

    private static LookupRule lookup(PolicyRule rule) {
        PolicyRule.Selector selector = rule.selector();
        return new LookupRule(
                rule.family(),
                rule.preference(),
                selector.inverted(),
                selector.from(),
                selector.to(),
                selector.inputLink(),
                selector.outputLink(),
                selector.mark().map(mark -> new MaskedMark(mark.value(), mark.mask())),
                selector.transport().map(it -> OptionalInt.of(it.number())).orElse(OptionalInt.empty()),
                ports(selector.sourcePort()),
                ports(selector.destinationPort()),
                Optional.empty(),
                false,
                switch (rule.action()) {
                    case PolicyRule.Action.Lookup lookup ->
                        new Action.LookupTable(lookup.table(), lookup.suppressPrefixLength(), OptionalLong.empty());
                    case PolicyRule.Action.Goto goTo -> new Action.GotoRule(goTo.preference());
                    case PolicyRule.Action.Unreachable _ -> new Action.Block();
                },
                true);
    }

    private static Optional<LookupRule.PortRange> ports(OptionalInt port) {
        return port.isPresent()
                ? Optional.of(new LookupRule.PortRange(port.getAsInt(), port.getAsInt()))
                : Optional.empty();
    }

    private static int index(List<StateLink> links, String name) {
        return links.stream()
                .filter(link -> link.name().equals(name))
                .findFirst()
                .orElseThrow()
                .index();
    }

    private static LookupRoute local(Prefix destination, int link) {
        return route(LOCAL_TABLE, LookupRoute.Kind.LOCAL, destination, 0, link, Optional.empty());
    }

    private static LookupRoute route(
            long table,
            LookupRoute.Kind kind,
            Prefix destination,
            long metric,
            int link,
            Optional<InetAddress> gateway) {
        return new LookupRoute(
                destination.family(),
                table,
                kind,
                destination,
                Prefix.all(destination.family()),
                metric,
                0,
                Optional.empty(),
                link == 0 ? List.of() : List.of(new LookupRoute.Hop(link, gateway, true)),
                true);
    }
}
