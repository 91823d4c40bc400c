// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Creates machines for tests. */
public final class Machines {

    private Machines() {}

    /** Returns a machine whose routes and addresses follow from its uplinks; by default, everything is possible. */
    public static Machine of(Map<Family, Uplink> uplinks, Consumer<Machine.Fields> others) {
        return Machine.of(uplinks, main(uplinks), it -> {
            it.links = Set.of("lo", "eth0");
            it.writableSysctl = true;
            it.netAdmin = true;
            it.tunDevice = true;
            it.kernelWireGuard = true;
            others.accept(it);
        });
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
