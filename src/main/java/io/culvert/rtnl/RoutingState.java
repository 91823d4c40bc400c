// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.util.List;

/**
 * What decides in a network namespace which link a packet leaves through: links, addresses, routing rules and routes of all
 * programs.
 *
 * @param rules in the order in which the kernel evaluates them, both families
 * @param routes of all tables and families, without cache entries
 */
public record RoutingState(
        List<StateLink> links, List<LinkAddress> addresses, List<LookupRule> rules, List<LookupRoute> routes) {

    /** The kind of a virtual router (drivers/net/vrf.c). */
    static final String VIRTUAL_ROUTER = "vrf";

    /**
     * A link.
     *
     * @param kind such as {@code wireguard}, {@code tun} or {@code veth}; empty for hardware
     * @param isUp {@code IFF_UP}
     * @param group {@code IFLA_GROUP}
     * @param isLoopback {@code IFF_LOOPBACK}
     */
    public record StateLink(
            int index, String name, String kind, boolean isUp, int group, boolean isLoopback, String alias) {

        /** Returns whether it is a virtual router (VRF), by whose table packets of its links are routed. */
        public boolean isVirtualRouter() {
            return kind.equals(VIRTUAL_ROUTER);
        }
    }

    public RoutingState {
        links = List.copyOf(links);
        addresses = List.copyOf(addresses);
        rules = List.copyOf(rules);
        routes = List.copyOf(routes);
    }

    public List<LookupRule> rules(Family family) {
        return rules.stream().filter(rule -> rule.family() == family).toList();
    }

    public List<LookupRoute> routes(Family family) {
        return routes.stream().filter(route -> route.family() == family).toList();
    }

    /** Returns the addresses of the family, with the prefix lengths that they have on their links. */
    public List<Prefix> addresses(Family family) {
        return addresses.stream()
                .map(LinkAddress::address)
                .filter(address -> address.family() == family)
                .toList();
    }
}
