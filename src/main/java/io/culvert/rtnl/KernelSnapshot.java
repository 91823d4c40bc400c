// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** The kernel's state: all links, addresses and rules, and the routes of Culvert, or some of them. */
record KernelSnapshot(
        List<KernelLink> links, List<KernelAddress> addresses, List<KernelRoute> routes, List<KernelRule> rules) {

    KernelSnapshot {
        links = List.copyOf(links);
        addresses = List.copyOf(addresses);
        // Filtered again, because old kernels do not filter.
        routes = routes.stream().filter(KernelRoute::isOurs).toList();
        rules = List.copyOf(rules);
    }

    static KernelSnapshot read(NetlinkSocket socket) {
        return read(socket, read(socket, KernelRoute.listOurs(), KernelRoute::decode));
    }

    /** Reads the state with the routes of these tables only: others may have thousands. */
    static KernelSnapshot read(NetlinkSocket socket, Set<Long> tables) {
        return read(
                socket,
                tables.stream()
                        .flatMap(table -> read(socket, KernelRoute.listOurs(table), KernelRoute::decode).stream()
                                .filter(route -> route.table() == table))
                        .toList());
    }

    private static KernelSnapshot read(NetlinkSocket socket, List<KernelRoute> routes) {
        return new KernelSnapshot(
                read(socket, KernelLink.list(), KernelLink::decode),
                read(socket, KernelAddress.list(), KernelAddress::decode),
                routes,
                read(socket, KernelRule.list(), KernelRule::decode));
    }

    static <T> List<T> read(NetlinkSocket socket, NetlinkMessage list, Function<NetlinkMessage, Optional<T>> decode) {
        return socket.dump(list).stream()
                .flatMap(message -> decode.apply(message).stream())
                .toList();
    }

    /** Returns Culvert's objects in the terms of a desired state. */
    NetworkState ownState() {
        Map<Integer, String> names = names();
        Set<Integer> ourLinks = ourLinks();
        return new NetworkState(
                links.stream()
                        .filter(KernelLink::isOurs)
                        .map(link -> new LinkSpec(link.name(), link.mtu(), link.alias()))
                        .toList(),
                addresses.stream()
                        .filter(address -> address.isOurs(ourLinks))
                        .flatMap(address -> address.linkAddress(names).stream())
                        .toList(),
                routes.stream().flatMap(route -> route.route(names).stream()).toList(),
                rules.stream()
                        .filter(KernelRule::isOurs)
                        .flatMap(rule -> rule.rule().stream())
                        .toList());
    }

    Map<Integer, String> names() {
        Map<Integer, String> names = new HashMap<>();
        links.forEach(link -> names.put(link.index(), link.name()));
        return names;
    }

    Set<Integer> ourLinks() {
        Set<Integer> indices = new HashSet<>();
        links.stream().filter(KernelLink::isOurs).forEach(link -> indices.add(link.index()));
        return indices;
    }
}
