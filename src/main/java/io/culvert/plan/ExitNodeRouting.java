package io.culvert.plan;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.network.LinkAddress;
import io.culvert.network.Machine;
import io.culvert.network.MainRoute;
import io.culvert.network.Route;
import io.culvert.network.RoutingClaim;
import io.culvert.network.Rule;
import io.culvert.network.Rule.Action;
import io.culvert.network.Rule.Mark;
import io.culvert.network.Rule.Selector;
import io.culvert.network.Uplink;
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
 * The routing layer of the guard: which table each packet sees. Exit traffic never sees main; unmarked local traffic sees
 * it only towards the allowed local networks; both end in "unreachable" when the tunnel has no route for them.
 *
 * @param meshes none where nobody uses this node as an exit
 * @param exempt what is reached through the tunnel although it lies within a mesh's reach
 * @param mark of the sockets that carry the tunnel itself
 * @param lan prefixes that local processes may reach outside the tunnel
 * @param published ports that answer on the uplink
 */
record ExitNodeRouting(
        Machine machine,
        String tunnel,
        List<Prefix> tunnelRoutes,
        List<Mesh> meshes,
        List<Prefix> exempt,
        long mark,
        List<Prefix> lan,
        List<Published> published,
        List<Bypass> bypasses) {

    /** The tunnel's routing table: wg-quick's own number, so that those who look for it find it. */
    static final long TUNNEL_TABLE = 51820;

    static final long MESH_TABLE = 51821;

    /** What belongs to the mesh leads nowhere by it, for when the mesh's own table has no route. */
    static final long MESH_ONLY_TABLE = 51822;

    /**
     * Routes of Tailscale's table that are as short as this, or shorter, are those of an exit node that this node itself
     * would leave by, in one piece or in several. The largest private networks are longer.
     */
    private static int defaultRoutes(Family family) {
        return family == Family.IPV4 ? 7 : 6;
    }

    /** Where Tailscale keeps the routes to its peers (tailscale: wgengine/router/osrouter). */
    static final long TAILSCALE_TABLE = 52;

    /** Above as many bypasses, prefixes go into tables of their own: each rule costs every packet a comparison. */
    private static final int RULES_AT_MOST = 32;

    private static final long FIRST_BYPASS_TABLE = 51900;

    private static final long FIRST_ANSWER_TABLE = 51830;
    private static final int MOST_ANSWER_TABLES = 64;

    private static final Prefix LINK_LOCAL = Prefix.parse("fe80::/10");

    /**
     * An interface of the mesh.
     *
     * @param table that leads to its peers; Tailscale's own is looked up by Tailscale's own rules
     * @param peers the prefixes behind it, where their routes are ours
     * @param reach what is reached by it and by no other link
     * @param subnets that its peers reach past the tunnel
     * @param ipv6Closed whether it carries no IPv6, so that what is meant for its peers must not go elsewhere
     */
    record Mesh(
            String link, long table, List<Prefix> peers, List<Prefix> reach, List<Prefix> subnets, boolean ipv6Closed) {

        boolean isTailscale() {
            return table == TAILSCALE_TABLE;
        }
    }

    /** A port that answers on the uplink. */
    record Published(Transport transport, int port) {}

    /**
     * A destination that local processes reach outside of the tunnel.
     *
     * @param transport empty for any
     * @param port empty for any; only with a transport
     */
    record Bypass(Prefix destination, Optional<Transport> transport, OptionalInt port) {}

    /** The rules of every family that the machine has; they need no link to exist. */
    List<Rule> rules() {
        List<Rule> rules = new ArrayList<>();
        bypassRules(rules);
        for (Family family : families()) {
            publishedRules(family, rules);
            connectedRules(family, rules);
            meshRules(family, rules);
            for (Prefix prefix : lan) {
                if (prefix.family() == family) {
                    add(rules, family, Preference.LAN, Selector.ANY.to(prefix), Action.Lookup.of(Route.MAIN));
                }
            }
            if (family == Family.IPV6) {
                add(rules, family, Preference.LAN, Selector.ANY.to(LINK_LOCAL), Action.Lookup.of(Route.MAIN));
            }
            gatewayRules(family, rules);
            Selector unmarked = Selector.ANY.mark(Mark.exactly(mark)).not();
            add(rules, family, Preference.LOCAL_TO_TUNNEL, unmarked, Action.Lookup.of(TUNNEL_TABLE));
            add(rules, family, Preference.LOCAL_UNREACHABLE, unmarked, new Action.Unreachable());
        }
        return List.copyOf(rules);
    }

    /** What the rules are to decide: whatever is not ours may come behind them only. */
    RoutingClaim claim() {
        Map<Long, String> shared =
                meshes.stream().filter(Mesh::isTailscale).collect(Collectors.toMap(Mesh::table, Mesh::link));
        return new RoutingClaim(
                rules(),
                Stream.concat(Stream.of(tunnel), meshes.stream().map(Mesh::link))
                        .collect(Collectors.toSet()),
                shared);
    }

    /** The routes that need the tunnel's and the mesh's links. */
    List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (Prefix prefix : tunnelRoutes) {
            if (families().contains(prefix.family())) {
                routes.add(Route.through(tunnel, prefix, TUNNEL_TABLE));
            }
        }
        meshes.forEach(side -> {
            for (Prefix prefix : side.peers()) {
                if (families().contains(prefix.family())) {
                    routes.add(
                            side.ipv6Closed() && prefix.family() == Family.IPV6
                                    ? Route.unreachable(prefix, side.table())
                                    : Route.through(side.link(), prefix, side.table()));
                }
            }
        });
        return List.copyOf(routes);
    }

    /** The routes of the bypass tables, by the uplink; none where rules do. */
    List<Route> bypassRoutes() {
        List<Route> routes = new ArrayList<>();
        long table = FIRST_BYPASS_TABLE;
        for (List<Bypass> group : bypassGroups().values()) {
            Uplink uplink = machine.uplinks().get(group.getFirst().destination().family());
            if (uplink != null) {
                List<Prefix> onLink =
                        uplink.addresses().stream().map(Prefix::network).toList();
                for (Bypass bypass : group) {
                    routes.add(byUplink(uplink, onLink, bypass.destination(), table));
                }
            }
            table++;
        }
        return List.copyOf(routes);
    }

    /** What belongs to the mesh, where the mesh itself has no way to it: it never goes into the tunnel instead. */
    List<Route> meshOnlyRoutes() {
        List<Route> routes = new ArrayList<>();
        for (Family family : families()) {
            List<Prefix> apart = Disjoint.of(
                    exempt.stream().filter(prefix -> prefix.family() == family).toList());
            Disjoint.of(meshes.stream()
                            .flatMap(side -> side.reach().stream())
                            .filter(prefix -> prefix.family() == family)
                            .toList())
                    .stream()
                    .filter(prefix -> !apart.contains(prefix))
                    .forEach(prefix -> routes.add(Route.unreachable(prefix, MESH_ONLY_TABLE)));
            if (!routes.isEmpty()) {
                apart.forEach(prefix -> routes.add(Route.exception(prefix, MESH_ONLY_TABLE)));
            }
        }
        return List.copyOf(routes);
    }

    private static Route byUplink(Uplink uplink, List<Prefix> onLink, Prefix destination, long table) {
        boolean direct = false;
        for (Prefix near : onLink) {
            direct |= near.contains(destination);
        }
        Optional<InetAddress> gateway = direct ? Optional.empty() : uplink.gateway();
        return new Route(
                Route.Type.UNICAST, destination, table, Optional.of(uplink.link()), gateway, OptionalInt.empty());
    }

    private List<Family> families() {
        return machine.ipv6().present() ? List.of(Family.IPV4, Family.IPV6) : List.of(Family.IPV4);
    }

    private void bypassRules(List<Rule> rules) {
        if (bypasses.size() <= RULES_AT_MOST) {
            for (Bypass bypass : bypasses) {
                Family family = bypass.destination().family();
                if (families().contains(family)) {
                    Selector selector = local(bypass).to(bypass.destination());
                    add(rules, family, Preference.HOLEPUNCH, selector, Action.Lookup.of(Route.MAIN));
                }
            }
            return;
        }
        long table = FIRST_BYPASS_TABLE;
        for (List<Bypass> group : bypassGroups().values()) {
            Bypass first = group.getFirst();
            add(rules, first.destination().family(), Preference.HOLEPUNCH, local(first), Action.Lookup.of(table++));
        }
    }

    /** What shares a rule: one family, protocol and port. Empty where each bypass has a rule of its own. */
    private Map<Object, List<Bypass>> bypassGroups() {
        Map<Object, List<Bypass>> groups = new LinkedHashMap<>();
        if (bypasses.size() > RULES_AT_MOST) {
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

    /** {@code iif lo}: made on this machine, never forwarded for an exit client. */
    private static Selector local(Bypass bypass) {
        Selector selector = Selector.ANY.inputLink("lo");
        if (bypass.transport().isPresent()) {
            selector = selector.transport(bypass.transport().get());
        }
        return bypass.port().isPresent()
                ? selector.destinationPort(bypass.port().getAsInt())
                : selector;
    }

    /**
     * Answers of published ports leave by the way the request came, from near and far, whatever network the client came by,
     * under strict rp_filter as well: the kernel's reverse look-up swaps the ports. Without the port these rules would let
     * local IPv6 escape when the tunnel is gone, because the kernel retries an unreachable look-up with a source address.
     */
    private void publishedRules(Family family, List<Rule> rules) {
        Map<String, Long> tables = answerTables(family);
        for (LinkAddress own : machine.main().addresses()) {
            if (own.address().family() != family || isInner(own.link())) {
                continue;
            }
            Selector from = Selector.ANY.from(Prefix.host(own.address().address()));
            long table = tables.getOrDefault(own.link(), Route.MAIN);
            for (Published port : published) {
                Selector answer = from.transport(port.transport()).sourcePort(port.port());
                if (table != Route.MAIN) {
                    Action near = new Action.Lookup(Route.MAIN, OptionalInt.of(0));
                    add(rules, family, Preference.PUBLISHED_NEAR, answer, near);
                }
                add(rules, family, Preference.PUBLISHED, answer, Action.Lookup.of(table));
            }
            if (family == Family.IPV4 && machine.strictReversePath()) {
                // Replies to marked sockets would be dropped on arrival otherwise; nftables then holds alone.
                add(rules, family, Preference.STRICT_REVERSE_PATH, from, Action.Lookup.of(Route.MAIN));
            }
        }
    }

    private boolean isInner(String link) {
        return link.equals(tunnel)
                || meshes.stream().anyMatch(side -> side.link().equals(link));
    }

    /**
     * Links with a default route of their own that is not the one in use: who came from far by one of them is answered by it.
     * A table for each, by the link's name.
     */
    private Map<String, Long> answerTables(Family family) {
        Map<String, Long> tables = new TreeMap<>();
        answerRoutes(family).forEach((link, _) -> tables.put(link, FIRST_ANSWER_TABLE));
        long table = FIRST_ANSWER_TABLE;
        for (Map.Entry<String, Long> entry : tables.entrySet()) {
            entry.setValue(table++);
        }
        return tables;
    }

    private Map<String, MainRoute> answerRoutes(Family family) {
        Map<String, MainRoute> routes = new TreeMap<>();
        Optional<String> usual =
                Optional.ofNullable(machine.uplinks().get(family)).map(Uplink::link);
        if (published.isEmpty()) {
            return routes;
        }
        machine.main().routes().stream()
                .filter(it -> it.destination().equals(Prefix.all(family)))
                .filter(it -> !usual.equals(Optional.of(it.link())) && !isInner(it.link()))
                .sorted(Comparator.comparingLong(MainRoute::metric))
                .limit(MOST_ANSWER_TABLES)
                .forEach(it -> routes.putIfAbsent(it.link(), it));
        return routes;
    }

    /** The default routes by which answers leave by other links than the usual one. */
    List<Route> answerRoutes() {
        List<Route> routes = new ArrayList<>();
        for (Family family : families()) {
            Map<String, Long> tables = answerTables(family);
            answerRoutes(family)
                    .forEach((link, it) -> routes.add(new Route(
                            Route.Type.UNICAST,
                            it.destination(),
                            tables.getOrDefault(link, FIRST_ANSWER_TABLE),
                            Optional.of(link),
                            it.gateway(),
                            OptionalInt.empty())));
        }
        return List.copyOf(routes);
    }

    /**
     * An allowed network that this machine is connected to stays direct where the mesh has a route to all of it, too: whoever
     * carries a laptop into the network behind a peer is in it already.
     */
    private void connectedRules(Family family, List<Rule> rules) {
        for (Prefix network : lan) {
            if (network.family() == family
                    && machine.connected().contains(network)
                    && meshes.stream().anyMatch(side -> mayLeadTo(side, network))) {
                Selector local = Selector.ANY.inputLink("lo").to(network);
                add(rules, family, Preference.CONNECTED, local, Action.Lookup.of(Route.MAIN));
            }
        }
    }

    private static boolean mayLeadTo(Mesh side, Prefix network) {
        return (side.isTailscale() ? side.reach() : side.peers()).stream().anyMatch(prefix -> prefix.contains(network));
    }

    private void meshRules(Family family, List<Rule> rules) {
        // Interfaces that are ours share a table.
        meshes.stream().findFirst().ifPresent(side -> toMesh(side, family, rules));
        meshes.forEach(side -> fromMesh(side, family, rules));
    }

    private void toMesh(Mesh side, Family family, List<Rule> rules) {
        Selector unmarked = Selector.ANY.mark(Mark.exactly(mark)).not();
        if (side.isTailscale()) {
            // What an accepted route to the server's network would swallow.
            Selector itself = Selector.ANY.mark(Mark.exactly(mark));
            add(rules, family, Preference.TUNNEL_ITSELF, itself, Action.Lookup.of(Route.MAIN));
            // Tailscale's rules come later, and versions of it send what comes by other links to main (its pull 19860).
            Selector replies = Selector.ANY.inputLink(tunnel);
            Action tailnet = new Action.Lookup(side.table(), OptionalInt.of(defaultRoutes(family)));
            add(rules, family, Preference.TUNNEL_TO_TAILNET, replies, tailnet);
            // Tailscale's own rule would follow its table's default route, which is an exit node that this node uses.
            Selector others = Selector.ANY
                    .mark(new Mark(Marks.TAILSCALE, Marks.TAILSCALE_MASK))
                    .not();
            add(rules, family, Preference.PAST_TAILSCALE, others, new Action.Goto(Preference.MESH_PEERS));
            add(rules, family, Preference.MESH_PEERS, unmarked, tailnet);
        } else {
            add(rules, family, Preference.MESH_PEERS, unmarked, Action.Lookup.of(side.table()));
        }
        add(rules, family, Preference.MESH_ONLY, unmarked, Action.Lookup.of(MESH_ONLY_TABLE));
    }

    private static void fromMesh(Mesh side, Family family, List<Rule> rules) {
        Selector fromMesh = Selector.ANY.inputLink(side.link());
        for (Prefix subnet : side.subnets()) {
            if (subnet.family() == family) {
                add(rules, family, Preference.MESH_TO_SUBNETS, fromMesh.to(subnet), Action.Lookup.of(Route.MAIN));
            }
        }
        add(rules, family, Preference.MESH_TO_TUNNEL, fromMesh, Action.Lookup.of(TUNNEL_TABLE));
        add(rules, family, Preference.MESH_UNREACHABLE, fromMesh, new Action.Unreachable());
    }

    /**
     * The kernel takes an IPv4 default route only when a look-up finds its gateway on that link ({@code fib_check_nh} in
     * net/ipv4/fib_semantics.c): without this, nobody could give the machine its uplink back while the guard stands. What is
     * bound to the link sees main by it too, but not main's default route.
     */
    private void gatewayRules(Family family, List<Rule> rules) {
        if (family == Family.IPV4) {
            machine.links().stream()
                    .filter(link -> !link.equals("lo") && !isInner(link))
                    .sorted()
                    .forEach(link -> add(
                            rules,
                            family,
                            Preference.GATEWAYS,
                            Selector.ANY.outputLink(link),
                            new Action.Lookup(Route.MAIN, OptionalInt.of(0))));
        }
    }

    private static void add(List<Rule> rules, Family family, int preference, Selector selector, Action action) {
        rules.add(new Rule(family, preference, selector, action));
    }
}
