// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The changes from the kernel's state to the desired one, in linear time.
 *
 * <p>Their order causes no leak: what blocks packets is added first and removed last, and nothing is removed before
 * everything missing has been added.
 */
final class StateDiff {

    /** The kinds of objects in the order in which they are added. */
    private enum Kind {
        BLOCKING_RULE,
        LINK,
        ADDRESS,
        ROUTE,
        RULE
    }

    /** Links are removed last, because their deletion cannot be reverted. */
    private static final List<Kind> REMOVAL_ORDER =
            List.of(Kind.RULE, Kind.ROUTE, Kind.ADDRESS, Kind.BLOCKING_RULE, Kind.LINK);

    private final KernelSnapshot actual;
    private final NetworkState desired;
    private final Map<Integer, String> names;
    private final Map<String, KernelLink> links = new HashMap<>();
    private final Map<Kind, List<KernelRequest>> missing = new EnumMap<>(Kind.class);
    private final Map<Kind, List<KernelRequest>> surplus = new EnumMap<>(Kind.class);
    private final Set<String> absentLinks = new LinkedHashSet<>();

    private StateDiff(KernelSnapshot actual, NetworkState desired) {
        this.actual = actual;
        this.desired = desired;
        this.names = actual.names();
        actual.links().forEach(link -> links.put(link.name(), link));
    }

    static StateDiff between(KernelSnapshot actual, NetworkState desired) {
        StateDiff difference = new StateDiff(actual, desired);
        difference.compareLinks();
        difference.compareAddresses();
        difference.compareRoutes();
        difference.compareRules();
        return difference;
    }

    /** Returns the changes that add or modify objects, in order. */
    List<KernelRequest> missing() {
        return missing.values().stream().flatMap(List::stream).toList();
    }

    /** Returns the changes that remove objects of Culvert that are not desired, in order. */
    List<KernelRequest> surplus() {
        return REMOVAL_ORDER.stream()
                .flatMap(kind -> surplus.getOrDefault(kind, List.of()).stream())
                .toList();
    }

    /** Returns the links of the desired state that do not exist. */
    Set<String> absentLinks() {
        return absentLinks;
    }

    private void add(Kind kind, KernelRequest change) {
        missing.computeIfAbsent(kind, _ -> new ArrayList<>()).add(change);
    }

    private void remove(Kind kind, KernelRequest change) {
        surplus.computeIfAbsent(kind, _ -> new ArrayList<>()).add(change);
    }

    private Optional<KernelLink> find(String name) {
        Optional<KernelLink> link = Optional.ofNullable(links.get(name));
        if (link.isEmpty()) {
            absentLinks.add(name);
        }
        return link;
    }

    private void compareLinks() {
        Set<String> desiredNames = new HashSet<>();
        for (LinkSpec link : desired.links()) {
            desiredNames.add(link.name());
            find(link.name())
                    .filter(current -> !current.satisfies(link))
                    .ifPresent(current -> add(
                            Kind.LINK,
                            new KernelRequest(
                                    IpSyntax.set(link), current.configure(link), Optional.of(current.restore()))));
        }
        for (KernelLink link : actual.links()) {
            if (link.isOurs() && !desiredNames.contains(link.name())) {
                remove(
                        Kind.LINK,
                        new KernelRequest("ip link delete dev " + link.name(), link.delete(), Optional.empty()));
            }
        }
    }

    private void compareAddresses() {
        Set<LinkAddress> desiredAddresses = new LinkedHashSet<>(desired.addresses());
        Set<LinkAddress> presentAddresses = new HashSet<>();
        Set<KernelRequest> unwanted = new LinkedHashSet<>();
        Map<LinkAddress, KernelRequest> conflicting = new HashMap<>();
        Set<Integer> ourLinks = actual.ourLinks();
        for (KernelAddress address : actual.addresses()) {
            Optional<LinkAddress> expressed = address.linkAddress(names);
            expressed.ifPresent(presentAddresses::add);
            if (address.isOurs(ourLinks)
                    && expressed.filter(desiredAddresses::contains).isEmpty()) {
                KernelRequest removal = KernelRequest.delete(address.deletion(names), address.message());
                unwanted.add(removal);
                expressed
                        .filter(it -> it.address().family() == Family.IPV6)
                        .ifPresent(it -> conflicting.put(withoutLength(it), removal));
            }
        }
        for (LinkAddress address : desiredAddresses) {
            Optional<KernelLink> link = find(address.link());
            if (link.isEmpty() || presentAddresses.contains(address)) {
                continue;
            }
            // A link has an IPv6 address once only, whatever the prefix length: the old one has to be removed first.
            KernelRequest old = conflicting.get(withoutLength(address));
            if (old != null && unwanted.remove(old)) {
                add(Kind.ADDRESS, old);
            }
            add(
                    Kind.ADDRESS,
                    KernelRequest.add(
                            IpSyntax.add(address),
                            KernelAddress.message(address.address(), link.get().index())));
        }
        unwanted.forEach(change -> remove(Kind.ADDRESS, change));
    }

    private static LinkAddress withoutLength(LinkAddress address) {
        return new LinkAddress(address.link(), Prefix.host(address.address().address()));
    }

    /**
     * The key of a route: a table has one of Culvert's routes per destination and metric, which another one replaces in
     * one step.
     */
    private record RouteKey(Family family, long table, Prefix destination, long metric) {

        static RouteKey of(Route route) {
            return new RouteKey(route.family(), route.table(), route.destination(), route.metric());
        }
    }

    private void compareRoutes() {
        Set<Route> missingRoutes = new LinkedHashSet<>(desired.routes());
        Map<RouteKey, KernelRoute> replaceable = new HashMap<>();
        List<KernelRoute> unwanted = new ArrayList<>();
        for (KernelRoute route : actual.routes()) {
            Optional<Route> expressed = route.route(names);
            if (expressed.isPresent() && missingRoutes.remove(expressed.get())) {
                continue;
            }
            expressed.ifPresentOrElse(it -> replaceable.put(RouteKey.of(it), route), () -> unwanted.add(route));
        }
        for (Route route : missingRoutes) {
            Optional<KernelLink> link = route.link().flatMap(this::find);
            if (link.isPresent() != route.link().isPresent()) {
                continue;
            }
            var message = KernelRoute.message(
                    route, link.map(it -> OptionalInt.of(it.index())).orElse(OptionalInt.empty()));
            KernelRoute old = replaceable.remove(RouteKey.of(route));
            add(
                    Kind.ROUTE,
                    old == null
                            ? KernelRequest.add(IpSyntax.add(route), message)
                            : KernelRequest.replace(IpSyntax.replace(route), message, old.message()));
        }
        unwanted.addAll(replaceable.values());
        unwanted.forEach(route -> remove(Kind.ROUTE, KernelRequest.delete(route.deletion(names), route.message())));
    }

    private void compareRules() {
        Set<PolicyRule> desiredRules = new LinkedHashSet<>(desired.rules());
        Set<PolicyRule> presentRules = new HashSet<>();
        for (KernelRule rule : actual.rules()) {
            Optional<PolicyRule> expressed = rule.rule();
            // An equal rule of another program counts as well; the kernel would refuse a second one.
            boolean isSatisfied = expressed.isPresent()
                    && desiredRules.contains(expressed.get())
                    && presentRules.add(expressed.get());
            if (rule.isOurs() && !isSatisfied) {
                remove(kind(expressed), KernelRequest.delete(rule.deletion(), rule.message()));
            }
        }
        for (PolicyRule rule : desiredRules) {
            if (!presentRules.contains(rule)) {
                add(kind(Optional.of(rule)), KernelRequest.add(IpSyntax.add(rule), KernelRule.message(rule)));
            }
        }
    }

    private static Kind kind(Optional<PolicyRule> rule) {
        return rule.filter(PolicyRule::isBlocking).isPresent() ? Kind.BLOCKING_RULE : Kind.RULE;
    }
}
