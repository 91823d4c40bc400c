// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import java.util.List;

/** A desired state of the kernel's network in both families: the objects of Culvert and no others. */
public record NetworkState(
        List<LinkSpec> links, List<LinkAddress> addresses, List<Route> routes, List<PolicyRule> rules) {

    public static final NetworkState EMPTY = new NetworkState(List.of(), List.of(), List.of(), List.of());

    public NetworkState {
        links = List.copyOf(links);
        addresses = List.copyOf(addresses);
        routes = List.copyOf(routes);
        rules = List.copyOf(rules);
    }
}
