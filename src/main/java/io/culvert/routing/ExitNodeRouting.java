// SPDX-License-Identifier: Apache-2.0
package io.culvert.routing;

import io.culvert.net.Bypass;
import io.culvert.net.DisjointPrefixes;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Mark;
import io.culvert.rtnl.PolicyRule.Selector;
import io.culvert.rtnl.Route;
import io.culvert.rtnl.RoutingIntent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
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
 * @param gatewayClients networks whose machines send through this node into the tunnel
 */
public record ExitNodeRouting(
        Machine machine,
        TunnelIdentity tunnel,
        List<Prefix> tunnelRoutes,
        List<Mesh> meshes,
        List<Prefix> exempt,
        List<Prefix> lan,
        List<Port> published,
        List<Bypass> bypasses,
        List<Prefix> gatewayClients) {

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
        bypassRouting().addRules(rules);
        ReplyRouting replies = replyRouting();
        for (Family family : families()) {
            replies.addRules(family, rules);
            connectedRules(family, rules);
            meshRules(family, rules);
            gatewayClientRules(family, rules);
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

    /**
     * Returns what the rules must decide: rules of other programs may only follow them.
     *
     * @param rules the result of {@link #rules}
     */
    public RoutingIntent routingIntent(List<PolicyRule> rules) {
        Map<Long, String> shared =
                meshes.stream().filter(Mesh::isTailscale).collect(Collectors.toMap(Mesh::table, Mesh::link));
        return new RoutingIntent(rules, ownLinks(), shared);
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
        return bypassRouting().routes();
    }

    /** Returns the default routes for replies that leave through a link whose default route is not the one in use. */
    public List<Route> replyRoutes() {
        return replyRouting().routes();
    }

    private BypassRouting bypassRouting() {
        return new BypassRouting(machine, families(), bypasses);
    }

    private ReplyRouting replyRouting() {
        return new ReplyRouting(machine, families(), ownLinks(), published);
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

    private List<Family> families() {
        return machine.ipv6().present() ? List.of(Family.IPV4, Family.IPV6) : List.of(Family.IPV4);
    }

    private Set<String> ownLinks() {
        return Stream.concat(Stream.of(tunnel.link()), meshes.stream().map(Mesh::link))
                .collect(Collectors.toSet());
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
     * Adds the rules for machines that use this node as their gateway: what they send sees only the tunnel's table, also on
     * its way to other local networks, and replies from the tunnel find them wherever they are.
     */
    private void gatewayClientRules(Family family, List<PolicyRule> rules) {
        for (Prefix client : gatewayClients) {
            if (client.family() != family) {
                continue;
            }
            uplinks().forEach(link -> {
                Selector fromClient = Selector.ANY.inputLink(link).from(client);
                add(rules, family, RulePreference.GATEWAY_TO_TUNNEL, fromClient, Action.Lookup.of(tunnel.table()));
                add(rules, family, RulePreference.GATEWAY_UNREACHABLE, fromClient, new Action.Unreachable());
            });
            Selector replies = Selector.ANY.inputLink(tunnel.link()).to(client);
            add(rules, family, RulePreference.GATEWAY_REPLIES, replies, Action.Lookup.of(Route.MAIN));
        }
    }

    private Stream<String> uplinks() {
        Set<String> ownLinks = ownLinks();
        return machine.links().stream()
                .filter(link -> !link.equals("lo") && !ownLinks.contains(link))
                .sorted();
    }

    /**
     * Adds the rules by which gateways are looked up. The kernel accepts an IPv4 default route only if a lookup finds
     * its gateway on that link ({@code fib_check_nh} in net/ipv4/fib_semantics.c): without these rules, no program
     * could restore the machine's uplink while the kill switch is active. Sockets that are bound to the link see main
     * through them too, except its default route.
     */
    private void gatewayRules(Family family, List<PolicyRule> rules) {
        if (family == Family.IPV4) {
            uplinks()
                    .forEach(link -> add(
                            rules,
                            family,
                            RulePreference.GATEWAYS,
                            Selector.ANY.outputLink(link),
                            new Action.Lookup(Route.MAIN, OptionalInt.of(0))));
        }
    }

    static void add(List<PolicyRule> rules, Family family, int preference, Selector selector, Action action) {
        rules.add(new PolicyRule(family, preference, selector, action));
    }
}
