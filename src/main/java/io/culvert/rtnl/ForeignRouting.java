// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Selector;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds rules and routes of other programs that take precedence over Culvert's routing rules: a rule before them, or a
 * route in a table that they look up. What cannot be decoded counts as a match.
 */
final class ForeignRouting {

    /** {@code RT_TABLE_LOCAL} (include/uapi/linux/rtnetlink.h): the table of this machine's own addresses. */
    private static final long LOCAL = 255;

    /** The IPv6 multicast range, which kernels before 5.10 list in the local table as a unicast route. */
    private static final Prefix IPV6_MULTICAST = SpecialRange.MULTICAST_IPV6.prefix();

    private final RoutingIntent intent;
    private final List<KernelRule> rules;
    private final NetlinkSocket socket;

    ForeignRouting(NetlinkSocket socket, RoutingIntent intent) {
        this.socket = socket;
        this.intent = intent;
        this.rules = KernelSnapshot.read(socket, KernelRule.list(), KernelRule::decode);
    }

    /** Returns a description of each, without a full stop; empty if there are none. */
    List<String> find() {
        List<String> findings = new ArrayList<>();
        for (Family family : Family.values()) {
            List<PolicyRule> intended = intent.rules().stream()
                    .filter(rule -> rule.family() == family)
                    .toList();
            if (!intended.isEmpty()) {
                findRules(family, intended, findings);
            }
        }
        findRoutes(findings);
        return List.copyOf(findings);
    }

    private void findRules(Family family, List<PolicyRule> intended, List<String> findings) {
        long last = intended.stream().mapToLong(PolicyRule::preference).max().orElseThrow();
        long first = intended.stream().mapToLong(PolicyRule::preference).min().orElseThrow();
        Set<PolicyRule> ownRules = new HashSet<>(intended);
        rules.stream()
                .filter(rule -> rule.family() == family && rule.preference() <= last)
                .filter(rule -> rule.rule().filter(ownRules::contains).isEmpty() && !rule.isOurs())
                .filter(rule -> !rule.isBlocking() && !isLocal(rule) && !isSkipped(rule, intended) && mayMatch(rule))
                .forEach(rule -> findings.add("foreign rule '" + rule.text() + "' takes precedence"));
        if (rules.stream().noneMatch(rule -> rule.family() == family && isLocal(rule) && rule.preference() < first)) {
            findings.add("the rule '" + IpSyntax.ip(family) + " rule pref 0 lookup local' is not the first rule");
        }
    }

    /**
     * Returns whether the rule looks up the local table. That one is legitimate at any preference; its routes are
     * checked below.
     */
    private static boolean isLocal(KernelRule rule) {
        return rule.rule()
                .filter(it -> it.selector().equals(Selector.ANY))
                .map(PolicyRule::action)
                .filter(action -> action instanceof Action.Lookup lookup && lookup.table() == LOCAL)
                .isPresent();
    }

    /** Returns whether one of Culvert's own rules skips this one (goto). */
    private static boolean isSkipped(KernelRule rule, List<PolicyRule> intended) {
        return intended.stream()
                .anyMatch(it -> it.action() instanceof Action.Goto(int target)
                        && rule.preference() > it.preference()
                        && rule.preference() < target);
    }

    /**
     * Returns whether the rule may match packets that Culvert routes. Packets from other links are not forwarded at
     * all.
     */
    private boolean mayMatch(KernelRule rule) {
        return rule.rule()
                .map(PolicyRule::selector)
                .filter(selector -> !selector.inverted())
                .flatMap(Selector::inputLink)
                .filter(link -> !link.equals("lo") && !intent.inputLinks().contains(link))
                .isEmpty();
    }

    private void findRoutes(List<String> findings) {
        Map<Integer, String> names = KernelSnapshot.read(socket, KernelLink.list(), KernelLink::decode).stream()
                .collect(Collectors.toMap(KernelLink::index, KernelLink::name));
        Stream<Long> tables = intent.rules().stream()
                .flatMap(
                        rule -> rule.action() instanceof Action.Lookup lookup ? Stream.of(lookup.table()) : Stream.of())
                .filter(table -> table != Route.MAIN);
        Stream.concat(tables, Stream.of(LOCAL))
                .distinct()
                .flatMap(table ->
                        KernelSnapshot.read(socket, KernelRoute.listTable(table), KernelRoute::decodeForeign).stream()
                                .filter(route -> route.table() == table))
                .filter(route -> takesPrecedence(route, names))
                .forEach(route ->
                        findings.add("foreign route '" + route.text(names) + "' is in a table that Culvert" + " uses"));
    }

    private boolean takesPrecedence(KernelRoute route, Map<Integer, String> names) {
        if (route.table() == LOCAL) {
            return route.type() == KernelRoute.RTN_UNICAST && !IPV6_MULTICAST.contains(route.destination());
        }
        if (BLOCKING_TYPES.contains(route.type())) {
            return false;
        }
        String sharedTables = intent.sharedTables().get(route.table());
        return sharedTables == null
                || (route.type() != KernelRoute.RTN_THROW
                        && !(route.hops().size() == 1
                                && sharedTables.equals(
                                        names.get(route.hops().getFirst().link()))));
    }

    /** {@code RTN_BLACKHOLE}, {@code RTN_UNREACHABLE}, {@code RTN_PROHIBIT} (include/uapi/linux/rtnetlink.h). */
    private static final Set<Integer> BLOCKING_TYPES = Set.of(6, KernelRoute.RTN_UNREACHABLE, 8);
}
