// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Creates machines for tests. */
public final class Machines {

    private Machines() {}

    /** Returns a machine whose routes and addresses follow from its uplinks. */
    public static Machine of(
            Map<Family, Uplink> uplinks,
            List<Prefix> connected,
            Set<String> links,
            Ipv6 ipv6,
            boolean strictReversePath,
            Set<Family> forwarding,
            boolean writableSysctl,
            boolean netAdmin,
            boolean tunDevice,
            boolean kernelWireGuard) {
        return new Machine(
                uplinks,
                main(uplinks),
                connected,
                links,
                ipv6,
                strictReversePath,
                forwarding,
                writableSysctl,
                netAdmin,
                tunDevice,
                kernelWireGuard);
    }

    /**
     * Returns the main table that follows from the uplinks: a default route each, and the networks of their addresses.
     */
    private static MainTable main(Map<Family, Uplink> uplinks) {
        List<MainRoute> routes = new ArrayList<>();
        List<LinkAddress> addresses = new ArrayList<>();
        uplinks.forEach((family, uplink) -> {
            routes.add(new MainRoute(Prefix.all(family), uplink.link(), uplink.gateway(), 0));
            uplink.addresses().forEach(own -> {
                routes.add(new MainRoute(own, uplink.link(), Optional.empty(), 0));
                addresses.add(new LinkAddress(uplink.link(), own));
            });
        });
        return new MainTable(routes, addresses);
    }
}
