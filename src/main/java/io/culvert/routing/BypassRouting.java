// SPDX-License-Identifier: Apache-2.0
package io.culvert.routing;

import io.culvert.net.Bypass;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Selector;
import io.culvert.rtnl.Route;
import io.culvert.rtnl.Uplink;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The routing rules of bypasses, and the routes of their tables where there are too many for a rule each. */
record BypassRouting(Machine machine, List<Family> families, List<Bypass> bypasses) {

    /** With more bypasses than this, their prefixes go into tables: each rule costs every packet a comparison. */
    private static final int MAX_BYPASS_RULES = 32;

    private static final long FIRST_BYPASS_TABLE = 51900;

    /** Returns the routes of the bypass tables, through the uplink; none if bypasses are rules. */
    List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        long table = FIRST_BYPASS_TABLE;
        for (List<Bypass> group : groups().values()) {
            Uplink uplink = machine.uplinks().get(group.getFirst().destination().family());
            if (uplink != null) {
                List<Prefix> onLink =
                        uplink.addresses().stream().map(Prefix::network).toList();
                for (Bypass bypass : group) {
                    routes.add(uplinkRoute(uplink, onLink, bypass.destination(), table));
                }
            }
            table++;
        }
        return List.copyOf(routes);
    }

    /** Adds the rules, which precede all others. */
    void addRules(List<PolicyRule> rules) {
        if (bypasses.size() <= MAX_BYPASS_RULES) {
            for (Bypass bypass : bypasses) {
                Family family = bypass.destination().family();
                if (families.contains(family)) {
                    Selector selector = selector(bypass).to(bypass.destination());
                    ExitNodeRouting.add(rules, family, RulePreference.BYPASS, selector, Action.Lookup.of(Route.MAIN));
                }
            }
            return;
        }
        long table = FIRST_BYPASS_TABLE;
        for (List<Bypass> group : groups().values()) {
            Bypass first = group.getFirst();
            ExitNodeRouting.add(
                    rules,
                    first.destination().family(),
                    RulePreference.BYPASS,
                    selector(first),
                    Action.Lookup.of(table++));
        }
    }

    /**
     * Returns the bypasses that share a rule, by family, protocol and port; empty if each one has a rule of its own.
     */
    private Map<Object, List<Bypass>> groups() {
        Map<Object, List<Bypass>> groups = new LinkedHashMap<>();
        if (bypasses.size() > MAX_BYPASS_RULES) {
            for (Bypass bypass : bypasses) {
                Family family = bypass.destination().family();
                if (families.contains(family)) {
                    Object key = List.of(family, bypass.transport(), bypass.port());
                    groups.computeIfAbsent(key, _ -> new ArrayList<>()).add(bypass);
                }
            }
        }
        return groups;
    }

    /** Returns the selector of a bypass, with {@code iif lo}: local packets, never those of exit-node clients. */
    private static Selector selector(Bypass bypass) {
        Selector selector = Selector.ANY.inputLink("lo");
        if (bypass.transport().isPresent()) {
            selector = selector.transport(bypass.transport().get());
        }
        return bypass.port().isPresent()
                ? selector.destinationPort(bypass.port().getAsInt())
                : selector;
    }

    private static Route uplinkRoute(Uplink uplink, List<Prefix> onLink, Prefix destination, long table) {
        boolean directNetworks = false;
        for (Prefix local : onLink) {
            directNetworks |= local.contains(destination);
        }
        Optional<InetAddress> gateway = directNetworks ? Optional.empty() : uplink.gateway();
        return new Route(
                Route.Type.UNICAST, destination, table, Optional.of(uplink.link()), gateway, OptionalInt.empty());
    }
}
