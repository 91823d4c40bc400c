package io.culvert.network;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
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
final class Difference {

    /** The kinds of objects in the order in which they are added. */
    private enum Kind {
        CLOSING_RULE,
        LINK,
        ADDRESS,
        ROUTE,
        RULE
    }

    /** Links are removed last, because their deletion cannot be reverted. */
    private static final List<Kind> ORDER_OF_REMOVING =
            List.of(Kind.RULE, Kind.ROUTE, Kind.ADDRESS, Kind.CLOSING_RULE, Kind.LINK);

    private final Snapshot actual;
    private final NetworkState desired;
    private final Map<Integer, String> names;
    private final Map<String, KernelLink> links = new HashMap<>();
    private final Map<Kind, List<Change>> missing = new EnumMap<>(Kind.class);
    private final Map<Kind, List<Change>> surplus = new EnumMap<>(Kind.class);
    private final Set<String> absentLinks = new LinkedHashSet<>();

    private Difference(Snapshot actual, NetworkState desired) {
        this.actual = actual;
        this.desired = desired;
        this.names = actual.names();
        actual.links().forEach(link -> links.put(link.name(), link));
    }

    static Difference between(Snapshot actual, NetworkState desired) {
        Difference difference = new Difference(actual, desired);
        difference.compareLinks();
        difference.compareAddresses();
        difference.compareRoutes();
        difference.compareRules();
        return difference;
    }

    /** Returns the changes that add or modify objects, in order. */
    List<Change> missing() {
        return missing.values().stream().flatMap(List::stream).toList();
    }

    /** Returns the changes that remove objects of Culvert that are not desired, in order. */
    List<Change> surplus() {
        return ORDER_OF_REMOVING.stream()
                .flatMap(kind -> surplus.getOrDefault(kind, List.of()).stream())
                .toList();
    }

    /** Returns the links of the desired state that do not exist. */
    Set<String> absentLinks() {
        return absentLinks;
    }

    private void add(Kind kind, Change change) {
        missing.computeIfAbsent(kind, _ -> new ArrayList<>()).add(change);
    }

    private void remove(Kind kind, Change change) {
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
        Set<String> wanted = new HashSet<>();
        for (Link link : desired.links()) {
            wanted.add(link.name());
            find(link.name())
                    .filter(found -> !found.satisfies(link))
                    .ifPresent(found -> add(
                            Kind.LINK,
                            new Change(IpSyntax.set(link), found.change(link), Optional.of(found.restore()))));
        }
        for (KernelLink link : actual.links()) {
            if (link.ours() && !wanted.contains(link.name())) {
                remove(Kind.LINK, new Change("ip link delete dev " + link.name(), link.delete(), Optional.empty()));
            }
        }
    }

    private void compareAddresses() {
        Set<LinkAddress> wanted = new LinkedHashSet<>(desired.addresses());
        Set<LinkAddress> found = new HashSet<>();
        Set<Change> unwanted = new LinkedHashSet<>();
        Map<LinkAddress, Change> inTheWay = new HashMap<>();
        Set<Integer> ourLinks = actual.ourLinks();
        for (KernelAddress address : actual.addresses()) {
            Optional<LinkAddress> known = address.linkAddress(names);
            known.ifPresent(found::add);
            if (address.ours(ourLinks) && known.filter(wanted::contains).isEmpty()) {
                Change removal = Change.delete(address.deletion(names), address.message());
                unwanted.add(removal);
                known.filter(it -> it.address().family() == Family.IPV6)
                        .ifPresent(it -> inTheWay.put(withoutLength(it), removal));
            }
        }
        for (LinkAddress address : wanted) {
            Optional<KernelLink> link = find(address.link());
            if (link.isEmpty() || found.contains(address)) {
                continue;
            }
            // A link has an IPv6 address once only, whatever the prefix length: the old one has to be removed first.
            Change old = inTheWay.get(withoutLength(address));
            if (old != null && unwanted.remove(old)) {
                add(Kind.ADDRESS, old);
            }
            add(
                    Kind.ADDRESS,
                    Change.add(
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
    private record Slot(Family family, long table, Prefix destination, long metric) {

        static Slot of(Route route) {
            return new Slot(route.family(), route.table(), route.destination(), route.metric());
        }
    }

    private void compareRoutes() {
        Set<Route> wanted = new LinkedHashSet<>(desired.routes());
        Map<Slot, KernelRoute> replaceable = new HashMap<>();
        List<KernelRoute> unwanted = new ArrayList<>();
        for (KernelRoute route : actual.routes()) {
            Optional<Route> known = route.route(names);
            if (known.isPresent() && wanted.remove(known.get())) {
                continue;
            }
            known.ifPresentOrElse(it -> replaceable.put(Slot.of(it), route), () -> unwanted.add(route));
        }
        for (Route route : wanted) {
            Optional<KernelLink> link = route.link().flatMap(this::find);
            if (link.isPresent() != route.link().isPresent()) {
                continue;
            }
            var message = KernelRoute.message(
                    route, link.map(it -> OptionalInt.of(it.index())).orElse(OptionalInt.empty()));
            KernelRoute old = replaceable.remove(Slot.of(route));
            add(
                    Kind.ROUTE,
                    old == null
                            ? Change.add(IpSyntax.add(route), message)
                            : Change.replace(IpSyntax.replace(route), message, old.message()));
        }
        unwanted.addAll(replaceable.values());
        unwanted.forEach(route -> remove(Kind.ROUTE, Change.delete(route.deletion(names), route.message())));
    }

    private void compareRules() {
        Set<Rule> wanted = new LinkedHashSet<>(desired.rules());
        Set<Rule> found = new HashSet<>();
        for (KernelRule rule : actual.rules()) {
            Optional<Rule> known = rule.rule();
            // An equal rule of another program counts as well; the kernel would refuse a second one.
            boolean serves = known.isPresent() && wanted.contains(known.get()) && found.add(known.get());
            if (rule.ours() && !serves) {
                remove(kind(known), Change.delete(rule.deletion(), rule.message()));
            }
        }
        for (Rule rule : wanted) {
            if (!found.contains(rule)) {
                add(kind(Optional.of(rule)), Change.add(IpSyntax.add(rule), KernelRule.message(rule)));
            }
        }
    }

    private static Kind kind(Optional<Rule> rule) {
        return rule.filter(Rule::closes).isPresent() ? Kind.CLOSING_RULE : Kind.RULE;
    }
}
