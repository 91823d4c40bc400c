// SPDX-License-Identifier: Apache-2.0
package io.culvert.routing;

import io.culvert.net.Family;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.MainRoute;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Selector;
import io.culvert.rtnl.Route;
import io.culvert.rtnl.Uplink;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/**
 * The routing rules and tables by which replies from published ports leave the machine.
 *
 * @param ownLinks the tunnel and the mesh interfaces
 */
record ReplyRouting(Machine machine, List<Family> families, Set<String> ownLinks, List<Port> published) {

    private static final long FIRST_REPLY_TABLE = 51830;
    private static final int MAX_REPLY_TABLES = 64;

    /**
     * Adds the rules by which replies from published ports leave through the link that the request came in on, whether
     * the client is on that network or beyond it. This works with strict rp_filter too: the kernel's reverse lookup
     * swaps the ports. Without the port, these rules would let local IPv6 leak when the tunnel is gone, because the
     * kernel retries an unreachable lookup with a source address.
     */
    void addRules(Family family, List<PolicyRule> rules) {
        Map<String, Long> tables = tables(family);
        for (LinkAddress address : machine.main().addresses()) {
            if (address.address().family() != family || ownLinks.contains(address.link())) {
                continue;
            }
            Selector from = Selector.ANY.from(Prefix.host(address.address().address()));
            long table = tables.getOrDefault(address.link(), Route.MAIN);
            for (Port port : published) {
                Selector reply = from.transport(port.transport()).sourcePort(port.number());
                if (table != Route.MAIN) {
                    Action local = new Action.Lookup(Route.MAIN, OptionalInt.of(0));
                    ExitNodeRouting.add(rules, family, RulePreference.PUBLISHED_LOCAL, reply, local);
                }
                ExitNodeRouting.add(rules, family, RulePreference.PUBLISHED, reply, Action.Lookup.of(table));
            }
            if (family == Family.IPV4 && machine.strictReversePath()) {
                // Replies to marked sockets would be dropped on arrival otherwise. Only nftables protects these
                // addresses then.
                ExitNodeRouting.add(
                        rules, family, RulePreference.STRICT_REVERSE_PATH, from, Action.Lookup.of(Route.MAIN));
            }
        }
    }

    /**
     * Returns a table for each link with a default route that is not the one in use, by link name. Replies to distant
     * clients that came in on such a link leave through it.
     */
    private Map<String, Long> tables(Family family) {
        Map<String, Long> tables = new TreeMap<>();
        defaultRoutes(family).forEach((link, _) -> tables.put(link, FIRST_REPLY_TABLE));
        long table = FIRST_REPLY_TABLE;
        for (Map.Entry<String, Long> entry : tables.entrySet()) {
            entry.setValue(table++);
        }
        return tables;
    }

    private Map<String, MainRoute> defaultRoutes(Family family) {
        Map<String, MainRoute> routes = new TreeMap<>();
        Optional<String> currentUplink =
                Optional.ofNullable(machine.uplinks().get(family)).map(Uplink::link);
        if (published.isEmpty()) {
            return routes;
        }
        machine.main().routes().stream()
                .filter(it -> it.destination().equals(Prefix.all(family)))
                .filter(it -> !currentUplink.equals(Optional.of(it.link())) && !ownLinks.contains(it.link()))
                .sorted(Comparator.comparingLong(MainRoute::metric))
                .limit(MAX_REPLY_TABLES)
                .forEach(it -> routes.putIfAbsent(it.link(), it));
        return routes;
    }

    /** Returns the default routes for replies that leave through a link whose default route is not the one in use. */
    List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (Family family : families) {
            Map<String, Long> tables = tables(family);
            defaultRoutes(family)
                    .forEach((link, it) -> routes.add(new Route(
                            Route.Type.UNICAST,
                            it.destination(),
                            tables.getOrDefault(link, FIRST_REPLY_TABLE),
                            Optional.of(link),
                            it.gateway(),
                            OptionalInt.empty())));
        }
        return List.copyOf(routes);
    }
}
