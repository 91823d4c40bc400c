// SPDX-License-Identifier: Apache-2.0
package io.culvert.routing;

import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.MainRoute;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Mark;
import io.culvert.rtnl.PolicyRule.Selector;
import io.culvert.rtnl.Route;
import io.culvert.wireguard.config.Peer;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.RoutingTable;
import io.culvert.wireguard.config.WireGuardConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The routes and rules of a tunnel without a mesh, as wg-quick's {@code add_route} and {@code add_default} would set
 * them (wireguard-tools, src/wg-quick/linux.bash): more specific routes in main take precedence over the tunnel, and a
 * family without AllowedIPs is not changed, unless the kill switch blocks it.
 *
 * <p>There are two differences. If AllowedIPs contain the server itself, such as in two halves of all addresses,
 * wg-quick's routes lead the tunnel's own packets into the tunnel. Here such a family gets a table of its own, as for a
 * default route.
 *
 * <p>And a network that this machine is connected to stays direct, whereas wg-quick's route to the same prefix would
 * replace it or be refused. The metric of the routes in main gives precedence to connected networks, including those
 * that the machine joins later.
 *
 * @param servers addresses of the peers' endpoints
 * @param candidates other endpoint candidates of peers
 * @param mark of the tunnel's own packets, and the number of its table
 * @param slot number of the tunnel's slot of rule preferences: 0 for the first; a later tunnel's rules precede an
 *     earlier one's
 * @param carriesIpv6 whether its link carries IPv6; if not, its IPv6 routes are unreachable routes, so that packets for
 *     the tunnel do not leave through another link
 */
public record TunnelRouting(
        WireGuardConfig file,
        Machine machine,
        List<InetSocketAddress> servers,
        Map<PublicKey, List<InetAddress>> candidates,
        long mark,
        int slot,
        boolean killSwitch,
        boolean carriesIpv6) {

    /** Before the rule for main at 32766; the kernel places wg-quick's own rules there as well. */
    private static final int LAST_PREFERENCE = 32764;

    private static final int PREFERENCES_PER_SLOT = 3;

    /** The maximum number of tunnels; the lowest byte of their marks distinguishes them. */
    static final int SLOTS = 256;

    static int firstPreference(int slot) {
        return LAST_PREFERENCE - PREFERENCES_PER_SLOT * (slot + 1) + 1;
    }

    /** Returns whether a slot contains a rule of Culvert. */
    static boolean inSlot(PolicyRule rule, int slot) {
        int first = firstPreference(slot);
        return rule.preference() >= first && rule.preference() < first + PREFERENCES_PER_SLOT;
    }

    static boolean inAnySlot(PolicyRule rule) {
        return rule.preference() >= firstPreference(SLOTS - 1) && rule.preference() <= LAST_PREFERENCE;
    }

    /** Returns the file's addresses, without a network that contains the server. */
    public List<LinkAddress> addresses() {
        List<InetAddress> serverAddresses =
                servers.stream().map(InetSocketAddress::getAddress).toList();
        return file.addresses().stream()
                .filter(address -> families().contains(address.family()))
                .map(address ->
                        new LinkAddress(file.name(), InterfaceAddress.planned(address, serverAddresses, machine)))
                .toList();
    }

    public List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        Set<Family> withServer = familiesWithServer();
        List<Prefix> connected = connectedByAddresses();
        for (Prefix prefix : allowedIps()) {
            switch (file.table()) {
                case RoutingTable.Off() -> {}
                case RoutingTable.Numbered(long number) -> routes.add(route(prefix, number));
                case RoutingTable.Auto() when needsOwnTable(prefix, withServer) -> routes.add(route(prefix, mark));
                case RoutingTable.Auto()
                when connected.stream().noneMatch(network -> network.contains(prefix)) && !isInPeersNetwork(prefix) ->
                    routes.add(Route.through(file.name(), prefix, Route.MAIN).metric(metric(prefix)));
                case RoutingTable.Auto() -> {}
            }
        }
        return List.copyOf(routes);
    }

    /** Returns the connected networks that are in AllowedIPs and stay direct all the same. */
    public List<Prefix> directNetworks() {
        if (!(file.table() instanceof RoutingTable.Auto)) {
            return List.of();
        }
        List<Prefix> allowed =
                allowedIps().stream().filter(prefix -> !prefix.isDefault()).toList();
        return machine.connected().stream()
                .filter(network -> allowed.stream().anyMatch(prefix -> prefix.contains(network))
                        || allowed.stream().anyMatch(prefix -> network.contains(prefix) && isInPeersNetwork(prefix)))
                .toList();
    }

    /**
     * Returns whether the prefix is part of a connected network that the peer itself is in. Then the prefix is reached
     * directly, and needs no tunnel.
     */
    private boolean isInPeersNetwork(Prefix prefix) {
        return machine.connected().stream()
                .filter(network -> network.contains(prefix) && !network.equals(prefix))
                .anyMatch(network -> file.peers().stream()
                        .filter(peer -> peer.allowedIps().contains(prefix))
                        .flatMap(peer -> knownAddresses(peer).stream())
                        .anyMatch(network::contains));
    }

    private List<InetAddress> knownAddresses(Peer peer) {
        List<InetAddress> addresses = new ArrayList<>(candidates.getOrDefault(peer.publicKey(), List.of()));
        peer.endpoint().ifPresent(endpoint -> {
            if (endpoint.host() instanceof Host.Literal literal) {
                addresses.add(literal.address());
            }
        });
        return addresses;
    }

    /**
     * Returns whether a machine may be connected to such a network. Larger ones and single addresses need no metric.
     */
    private static boolean mayBeConnected(Prefix prefix) {
        return !prefix.isHost() && prefix.length() >= (prefix.family() == Family.IPV4 ? 8 : 32);
    }

    /**
     * Returns the metric of a route in main: a connected network takes precedence over it, but it takes precedence over
     * a route of another program to the same prefix, as wg-quick's does.
     */
    private long metric(Prefix prefix) {
        OptionalLong conflicting = conflictingRoute(prefix, machine).stream()
                .mapToLong(MainRoute::metric)
                .findFirst();
        if (conflicting.isEmpty()) {
            return mayBeConnected(prefix) ? Route.BEHIND_CONNECTED : 0;
        }
        return prefix.family() == Family.IPV4 ? 0 : Math.max(1, conflicting.getAsLong() - 1);
    }

    /** Returns another program's route to exactly this prefix, unless the prefix is a connected network. */
    public static Optional<MainRoute> conflictingRoute(Prefix prefix, Machine machine) {
        return machine.connected().contains(prefix)
                ? Optional.empty()
                : machine.main().routes().stream()
                        .filter(route -> route.destination().equals(prefix))
                        .min(Comparator.comparingLong(MainRoute::metric));
    }

    public TunnelRouting withoutIpv6() {
        return new TunnelRouting(file, machine, servers, candidates, mark, slot, killSwitch, false);
    }

    private Route route(Prefix prefix, long table) {
        return isUnreachable(prefix) ? Route.unreachable(prefix, table) : Route.through(file.name(), prefix, table);
    }

    private boolean isUnreachable(Prefix prefix) {
        return prefix.family() == Family.IPV6 && !carriesIpv6;
    }

    public List<PolicyRule> rules() {
        List<PolicyRule> rules = new ArrayList<>();
        int first = firstPreference(slot);
        for (Family family : families()) {
            if (hasTable(family) || killSwitch) {
                rules.add(
                        new PolicyRule(family, first, Selector.ANY, new Action.Lookup(Route.MAIN, OptionalInt.of(0))));
                strictReversePath(family, first, rules);
            }
            if (hasTable(family)) {
                rules.add(new PolicyRule(
                        family, first + 1, Selector.ANY.mark(tunnelsMark()).not(), Action.Lookup.of(mark)));
                if (family == Family.IPV6 && !carriesIpv6) {
                    // It blocks no packet that the rule above would not: it records whose unreachable routes these are,
                    // as they name no link.
                    rules.add(new PolicyRule(
                            family, first + 1, Selector.ANY.inputLink(file.name()), Action.Lookup.of(mark)));
                }
            }
            if (killSwitch) {
                Selector unmarked = Selector.ANY.mark(Mark.exactly(mark)).not();
                rules.add(new PolicyRule(family, first + 2, unmarked, new Action.Unreachable()));
                // It stops no packet that the rule above would not: it records which tunnel's kill switch this is, even
                // when the link is gone.
                rules.add(new PolicyRule(
                        family, first + 2, Selector.ANY.inputLink(file.name()), new Action.Unreachable()));
            }
        }
        return List.copyOf(rules);
    }

    /** Returns whether the tunnel's routes of a family are in a table of its own. */
    boolean hasTable(Family family) {
        Set<Family> withServer = familiesWithServer();
        return file.table() instanceof RoutingTable.Auto
                && allowedIpsOfPeers()
                        .anyMatch(prefix -> prefix.family() == family && needsOwnTable(prefix, withServer));
    }

    public boolean needsMark() {
        return killSwitch || file.fwMark().isPresent() || families().stream().anyMatch(this::hasTable);
    }

    /**
     * Returns the mark of all tunnels, as none of Culvert's tunnels carries another's packets: if each one excluded
     * only its own mark, two that carry everything would send their packets through each other in a loop.
     */
    private Mark tunnelsMark() {
        return file.fwMark().isPresent() ? Mark.exactly(mark) : new Mark(mark, Mark.ALL_BITS - (SLOTS - 1));
    }

    /**
     * Returns whether a route must be in the tunnel's own table. Unreachable routes are there too: they name no link,
     * but a rule for their table does.
     */
    private boolean needsOwnTable(Prefix prefix, Set<Family> withServer) {
        return prefix.isDefault() || withServer.contains(prefix.family()) || isUnreachable(prefix);
    }

    /** Returns the families whose AllowedIPs contain a server. */
    private Set<Family> familiesWithServer() {
        Set<InetAddress> addresses = Stream.concat(
                        servers.stream().map(InetSocketAddress::getAddress),
                        candidates.values().stream().flatMap(List::stream))
                .collect(Collectors.toSet());
        return allowedIpsOfPeers()
                .filter(prefix -> !prefix.isDefault())
                .filter(prefix -> prefix.isHost()
                        ? addresses.contains(prefix.address())
                        : addresses.stream().anyMatch(prefix::contains))
                .map(Prefix::family)
                .collect(Collectors.toSet());
    }

    /** Returns the prefixes of all peers without duplicates, the longest first, as {@code wg-quick} sorts them. */
    private List<Prefix> allowedIps() {
        return allowedIpsOfPeers()
                .distinct()
                .sorted(Comparator.comparingInt(Prefix::length).reversed())
                .toList();
    }

    /** Returns the prefixes of one peer after the other. */
    private Stream<Prefix> allowedIpsOfPeers() {
        List<Family> families = families();
        return file.peers().stream()
                .flatMap(peer -> peer.allowedIps().stream())
                .filter(prefix -> families.contains(prefix.family()));
    }

    /**
     * Returns the interface addresses with the networks to which the kernel adds the route to main; for a /32 address it adds
     * none.
     */
    private List<Prefix> connectedByAddresses() {
        return addresses().stream()
                .map(LinkAddress::address)
                .filter(address -> address.family() == Family.IPV6 || !address.isHost())
                .toList();
    }

    /**
     * Adds the rules that strict rp_filter needs: the kernel looks up the reverse path of the server's packets, which
     * have no mark. These rules provide it, without a sysctl or connection tracking.
     */
    private void strictReversePath(Family family, int preference, List<PolicyRule> rules) {
        if (family == Family.IPV6 || !machine.strictReversePath()) {
            return;
        }
        servers.stream()
                .filter(server -> Family.of(server.getAddress()) == family)
                .distinct()
                .forEach(server -> machine.main()
                        .routeTo(server.getAddress())
                        .ifPresent(route -> machine.main().addresses().stream()
                                .filter(address -> address.link().equals(route.link())
                                        && address.address().family() == family)
                                .forEach(address -> rules.add(new PolicyRule(
                                        family,
                                        preference,
                                        reversePathSelector(server, address.address()),
                                        Action.Lookup.of(Route.MAIN))))));
    }

    private static Selector reversePathSelector(InetSocketAddress server, Prefix address) {
        Selector selector = Selector.ANY
                .from(Prefix.host(address.address()))
                .to(Prefix.host(server.getAddress()))
                .transport(Transport.UDP);
        return server.getPort() > PolicyRule.MAX_PORT ? selector : selector.destinationPort(server.getPort());
    }

    private List<Family> families() {
        return machine.ipv6().present() ? List.of(Family.IPV4, Family.IPV6) : List.of(Family.IPV4);
    }
}
