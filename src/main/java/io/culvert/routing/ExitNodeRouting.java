// SPDX-License-Identifier: Apache-2.0
package io.culvert.routing;

import io.culvert.net.Bypass;
import io.culvert.net.DisjointPrefixes;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.MainRoute;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Mark;
import io.culvert.rtnl.PolicyRule.Selector;
import io.culvert.rtnl.Route;
import io.culvert.rtnl.RoutingIntent;
import io.culvert.rtnl.Uplink;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The routing rules and routes of an exit node's kill switch: which table is looked up for each packet. It is never
 * main for packets of exit-node clients, and for unmarked local packets only towards allowed local networks. Both end
 * in "unreachable" if the tunnel has no route for them.
 *
 * @param meshes the mesh interfaces; none if the node has no exit-node clients
 * @param exempt prefixes that are reached through the tunnel although they are within a mesh's prefixes
 * @param lan prefixes that local processes may reach outside the tunnel
 * @param published ports that are reachable from the uplink
 */
public record ExitNodeRouting(
        Machine machine,
        TunnelIdentity tunnel,
        List<Prefix> tunnelRoutes,
        List<Mesh> meshes,
        List<Prefix> exempt,
        List<Prefix> lan,
        List<Port> published,
        List<Bypass> bypasses) {

    public static final long MESH_TABLE = 51821;

    /** Makes the mesh's prefixes unreachable when the mesh's own table has no route. */
    static final long MESH_ONLY_TABLE = 51822;

    /**
     * Returns the prefix length up to which routes in Tailscale's table belong to an exit node that this node itself
     * uses, as one route or split into several. The largest private networks have longer prefixes.
     */
    private static int longestDefaultRoute(Family family) {
        return family == Family.IPV4 ? 7 : 6;
    }

    /** Tailscale's own table with the routes to its peers (tailscale: wgengine/router/osrouter). */
    public static final long TAILSCALE_TABLE = 52;

    /** With more bypasses than this, their prefixes go into tables: each rule costs every packet a comparison. */
    private static final int MAX_BYPASS_RULES = 32;

    private static final long FIRST_BYPASS_TABLE = 51900;

    private static final long FIRST_REPLY_TABLE = 51830;
    private static final int MAX_REPLY_TABLES = 64;

    private static final Prefix LINK_LOCAL = SpecialRange.LINK_LOCAL_IPV6.prefix();

    /**
     * A mesh interface.
     *
     * @param table table with the routes to its peers; Tailscale's own is looked up by Tailscale's own rules
     * @param peers the prefixes behind it, if Culvert sets their routes
     * @param reach destinations that are reached through it and through no other link
     * @param subnets subnets that its peers reach outside the tunnel
     * @param ipv6Blocked whether it carries no IPv6, so that its peers' IPv6 prefixes must be unreachable
     */
    public record Mesh(
            String link,
            long table,
            List<Prefix> peers,
            List<Prefix> reach,
            List<Prefix> subnets,
            boolean ipv6Blocked) {

        boolean isTailscale() {
            return table == TAILSCALE_TABLE;
        }
    }

    /** Returns the rules of all families that the machine has. They need no link to exist. */
    public List<PolicyRule> rules() {
        List<PolicyRule> rules = new ArrayList<>();
        bypassRules(rules);
        for (Family family : families()) {
            publishedRules(family, rules);
            connectedRules(family, rules);
            meshRules(family, rules);
            for (Prefix prefix : lan) {
                if (prefix.family() == family) {
                    add(rules, family, RulePreference.LAN, Selector.ANY.to(prefix), Action.Lookup.of(Route.MAIN));
                }
            }
            if (family == Family.IPV6) {
                add(rules, family, RulePreference.LAN, Selector.ANY.to(LINK_LOCAL), Action.Lookup.of(Route.MAIN));
            }
            gatewayRules(family, rules);
            Selector unmarked =
                    Selector.ANY.mark(Mark.exactly(tunnel.marks().tunnel())).not();
            add(rules, family, RulePreference.LOCAL_TO_TUNNEL, unmarked, Action.Lookup.of(tunnel.table()));
            add(rules, family, RulePreference.LOCAL_UNREACHABLE, unmarked, new Action.Unreachable());
        }
        return List.copyOf(rules);
    }

    /** Returns what the rules must decide: rules of other programs may only follow them. */
    public RoutingIntent routingIntent() {
        Map<Long, String> shared =
                meshes.stream().filter(Mesh::isTailscale).collect(Collectors.toMap(Mesh::table, Mesh::link));
        return new RoutingIntent(
                rules(),
                Stream.concat(Stream.of(tunnel.link()), meshes.stream().map(Mesh::link))
                        .collect(Collectors.toSet()),
                shared);
    }

    /** Returns the routes through the tunnel's and the mesh's links. */
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (Prefix prefix : tunnelRoutes) {
            if (families().contains(prefix.family())) {
                routes.add(Route.through(tunnel.link(), prefix, tunnel.table()));
            }
        }
        meshes.forEach(mesh -> {
            for (Prefix prefix : mesh.peers()) {
                if (families().contains(prefix.family())) {
                    routes.add(
                            mesh.ipv6Blocked() && prefix.family() == Family.IPV6
                                    ? Route.unreachable(prefix, mesh.table())
                                    : Route.through(mesh.link(), prefix, mesh.table()));
                }
            }
        });
        return List.copyOf(routes);
    }

    /** Returns the routes of the bypass tables, through the uplink; none if bypasses are rules. */
    public List<Route> bypassRoutes() {
        List<Route> routes = new ArrayList<>();
        long table = FIRST_BYPASS_TABLE;
        for (List<Bypass> group : bypassGroups().values()) {
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

    /** Returns the routes that keep packets for the mesh out of the tunnel when the mesh has no route for them. */
    public List<Route> meshOnlyRoutes() {
        List<Route> routes = new ArrayList<>();
        for (Family family : families()) {
            List<Prefix> disjoint = DisjointPrefixes.of(
                    exempt.stream().filter(prefix -> prefix.family() == family).toList());
            DisjointPrefixes.of(meshes.stream()
                            .flatMap(mesh -> mesh.reach().stream())
                            .filter(prefix -> prefix.family() == family)
                            .toList())
                    .stream()
                    .filter(prefix -> !disjoint.contains(prefix))
                    .forEach(prefix -> routes.add(Route.unreachable(prefix, MESH_ONLY_TABLE)));
            if (!routes.isEmpty()) {
                disjoint.forEach(prefix -> routes.add(Route.throwRoute(prefix, MESH_ONLY_TABLE)));
            }
        }
        return List.copyOf(routes);
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

    private List<Family> families() {
        return machine.ipv6().present() ? List.of(Family.IPV4, Family.IPV6) : List.of(Family.IPV4);
    }

    private void bypassRules(List<PolicyRule> rules) {
        if (bypasses.size() <= MAX_BYPASS_RULES) {
            for (Bypass bypass : bypasses) {
                Family family = bypass.destination().family();
                if (families().contains(family)) {
                    Selector selector = selector(bypass).to(bypass.destination());
                    add(rules, family, RulePreference.BYPASS, selector, Action.Lookup.of(Route.MAIN));
                }
            }
            return;
        }
        long table = FIRST_BYPASS_TABLE;
        for (List<Bypass> group : bypassGroups().values()) {
            Bypass first = group.getFirst();
            add(rules, first.destination().family(), RulePreference.BYPASS, selector(first), Action.Lookup.of(table++));
        }
    }

    /**
     * Returns the bypasses that share a rule, by family, protocol and port; empty if each one has a rule of its own.
     */
    private Map<Object, List<Bypass>> bypassGroups() {
        Map<Object, List<Bypass>> groups = new LinkedHashMap<>();
        if (bypasses.size() > MAX_BYPASS_RULES) {
            for (Bypass bypass : bypasses) {
                Family family = bypass.destination().family();
                if (families().contains(family)) {
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

    /**
     * Adds the rules by which replies from published ports leave through the link that the request came in on, whether
     * the client is on that network or beyond it. This works with strict rp_filter too: the kernel's reverse lookup
     * swaps the ports. Without the port, these rules would let local IPv6 leak when the tunnel is gone, because the
     * kernel retries an unreachable lookup with a source address.
     */
    private void publishedRules(Family family, List<PolicyRule> rules) {
        Map<String, Long> tables = replyTables(family);
        for (LinkAddress address : machine.main().addresses()) {
            if (address.address().family() != family || isTunnelOrMesh(address.link())) {
                continue;
            }
            Selector from = Selector.ANY.from(Prefix.host(address.address().address()));
            long table = tables.getOrDefault(address.link(), Route.MAIN);
            for (Port port : published) {
                Selector reply = from.transport(port.transport()).sourcePort(port.number());
                if (table != Route.MAIN) {
                    Action local = new Action.Lookup(Route.MAIN, OptionalInt.of(0));
                    add(rules, family, RulePreference.PUBLISHED_LOCAL, reply, local);
                }
                add(rules, family, RulePreference.PUBLISHED, reply, Action.Lookup.of(table));
            }
            if (family == Family.IPV4 && machine.strictReversePath()) {
                // Replies to marked sockets would be dropped on arrival otherwise. Only nftables protects these
                // addresses then.
                add(rules, family, RulePreference.STRICT_REVERSE_PATH, from, Action.Lookup.of(Route.MAIN));
            }
        }
    }

    private boolean isTunnelOrMesh(String link) {
        return link.equals(tunnel.link())
                || meshes.stream().anyMatch(mesh -> mesh.link().equals(link));
    }

    /**
     * Returns a table for each link with a default route that is not the one in use, by link name. Replies to distant
     * clients that came in on such a link leave through it.
     */
    private Map<String, Long> replyTables(Family family) {
        Map<String, Long> tables = new TreeMap<>();
        replyRoutes(family).forEach((link, _) -> tables.put(link, FIRST_REPLY_TABLE));
        long table = FIRST_REPLY_TABLE;
        for (Map.Entry<String, Long> entry : tables.entrySet()) {
            entry.setValue(table++);
        }
        return tables;
    }

    private Map<String, MainRoute> replyRoutes(Family family) {
        Map<String, MainRoute> routes = new TreeMap<>();
        Optional<String> currentUplink =
                Optional.ofNullable(machine.uplinks().get(family)).map(Uplink::link);
        if (published.isEmpty()) {
            return routes;
        }
        machine.main().routes().stream()
                .filter(it -> it.destination().equals(Prefix.all(family)))
                .filter(it -> !currentUplink.equals(Optional.of(it.link())) && !isTunnelOrMesh(it.link()))
                .sorted(Comparator.comparingLong(MainRoute::metric))
                .limit(MAX_REPLY_TABLES)
                .forEach(it -> routes.putIfAbsent(it.link(), it));
        return routes;
    }

    /** Returns the default routes for replies that leave through a link whose default route is not the one in use. */
    public List<Route> replyRoutes() {
        List<Route> routes = new ArrayList<>();
        for (Family family : families()) {
            Map<String, Long> tables = replyTables(family);
            replyRoutes(family)
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

    /**
     * Adds the rules that keep connected allowed networks direct if the mesh has a route to all of them as well, such
     * as on a laptop that has been carried into the network behind a peer.
     */
    private void connectedRules(Family family, List<PolicyRule> rules) {
        for (Prefix network : lan) {
            if (network.family() == family
                    && machine.connected().contains(network)
                    && meshes.stream().anyMatch(mesh -> mayRouteTo(mesh, network))) {
                Selector local = Selector.ANY.inputLink("lo").to(network);
                add(rules, family, RulePreference.CONNECTED, local, Action.Lookup.of(Route.MAIN));
            }
        }
    }

    private static boolean mayRouteTo(Mesh mesh, Prefix network) {
        return (mesh.isTailscale() ? mesh.reach() : mesh.peers()).stream().anyMatch(prefix -> prefix.contains(network));
    }

    private void meshRules(Family family, List<PolicyRule> rules) {
        // WireGuard mesh interfaces share a table.
        meshes.stream().findFirst().ifPresent(mesh -> toMesh(mesh, family, rules));
        meshes.forEach(mesh -> fromMesh(mesh, family, rules));
    }

    private void toMesh(Mesh mesh, Family family, List<PolicyRule> rules) {
        Selector unmarked =
                Selector.ANY.mark(Mark.exactly(tunnel.marks().tunnel())).not();
        if (mesh.isTailscale()) {
            // An accepted route to the server's network would lead these packets into the tailnet.
            Selector tunnelPackets =
                    Selector.ANY.mark(Mark.exactly(tunnel.marks().tunnel()));
            add(rules, family, RulePreference.TUNNEL_PACKETS, tunnelPackets, Action.Lookup.of(Route.MAIN));
            // Tailscale's rules come later, and some versions send packets from other links to main (its pull request
            // 19860).
            Selector replies = Selector.ANY.inputLink(tunnel.link());
            Action tailnet = new Action.Lookup(mesh.table(), OptionalInt.of(longestDefaultRoute(family)));
            add(rules, family, RulePreference.TUNNEL_TO_TAILNET, replies, tailnet);
            // Tailscale's own rule would use the default route of its table, that of an exit node that this node uses.
            Selector others = Selector.ANY
                    .mark(new Mark(Marks.TAILSCALE, Marks.TAILSCALE_MASK))
                    .not();
            add(rules, family, RulePreference.SKIP_TAILSCALE_RULES, others, new Action.Goto(RulePreference.MESH_PEERS));
            add(rules, family, RulePreference.MESH_PEERS, unmarked, tailnet);
        } else {
            add(rules, family, RulePreference.MESH_PEERS, unmarked, Action.Lookup.of(mesh.table()));
        }
        add(rules, family, RulePreference.MESH_ONLY, unmarked, Action.Lookup.of(MESH_ONLY_TABLE));
    }

    private void fromMesh(Mesh mesh, Family family, List<PolicyRule> rules) {
        Selector fromMesh = Selector.ANY.inputLink(mesh.link());
        for (Prefix subnet : mesh.subnets()) {
            if (subnet.family() == family) {
                add(rules, family, RulePreference.MESH_TO_SUBNETS, fromMesh.to(subnet), Action.Lookup.of(Route.MAIN));
            }
        }
        add(rules, family, RulePreference.MESH_TO_TUNNEL, fromMesh, Action.Lookup.of(tunnel.table()));
        add(rules, family, RulePreference.MESH_UNREACHABLE, fromMesh, new Action.Unreachable());
    }

    /**
     * Adds the rules by which gateways are looked up. The kernel accepts an IPv4 default route only if a lookup finds
     * its gateway on that link ({@code fib_check_nh} in net/ipv4/fib_semantics.c): without these rules, no program
     * could restore the machine's uplink while the kill switch is active. Sockets that are bound to the link see main
     * through them too, except its default route.
     */
    private void gatewayRules(Family family, List<PolicyRule> rules) {
        if (family == Family.IPV4) {
            machine.links().stream()
                    .filter(link -> !link.equals("lo") && !isTunnelOrMesh(link))
                    .sorted()
                    .forEach(link -> add(
                            rules,
                            family,
                            RulePreference.GATEWAYS,
                            Selector.ANY.outputLink(link),
                            new Action.Lookup(Route.MAIN, OptionalInt.of(0))));
        }
    }

    private static void add(List<PolicyRule> rules, Family family, int preference, Selector selector, Action action) {
        rules.add(new PolicyRule(family, preference, selector, action));
    }
}
