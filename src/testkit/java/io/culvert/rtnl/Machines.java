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

    /** The fields besides the uplinks, by name. By default, everything is possible. */
    public static final class Fields {
        public List<Prefix> connected = List.of();
        public Set<String> links = Set.of("lo", "eth0");
        public Ipv6 ipv6 = Ipv6.ENABLED;
        public boolean strictReversePath;
        public Set<Family> forwarding = Set.of();
        public boolean writableSysctl = true;
        public boolean netAdmin = true;
        public boolean tunDevice = true;
        public boolean kernelWireGuard = true;
    }

    /** Returns a machine whose routes and addresses follow from its uplinks. */
    public static Machine of(Map<Family, Uplink> uplinks, Consumer<Fields> others) {
        Fields fields = new Fields();
        others.accept(fields);
        return new Machine(
                uplinks,
                main(uplinks),
                fields.connected,
                fields.links,
                fields.ipv6,
                fields.strictReversePath,
                fields.forwarding,
                fields.writableSysctl,
                fields.netAdmin,
                fields.tunDevice,
                fields.kernelWireGuard);
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
