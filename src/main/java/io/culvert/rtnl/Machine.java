// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The state of the machine or container, before any change.
 *
 * @param uplinks by family; a family without a route to the internet is absent
 * @param main the routes and addresses by which the uplinks were found
 * @param connected prefixes of the main table's connected (on-link) routes on links of other programs, host bits
 *     cleared
 * @param links names of all links
 * @param connectedLinks names of the links with a carrier
 * @param ipv6 the availability of IPv6
 * @param strictReversePath whether the effective IPv4 rp_filter on a link with an address is 1: the larger of {@code
 *     all} and the link's own (Documentation/networking/ip-sysctl.rst)
 * @param forwarding families with IP forwarding enabled
 * @param writableSysctl whether {@code /proc/sys/net} can be written
 * @param netAdmin whether this process has CAP_NET_ADMIN in the user namespace that owns the network namespace
 * @param tunDevice whether {@code /dev/net/tun} can be opened
 * @param kernelWireGuard whether generic netlink has the family {@code wireguard}
 */
public record Machine(
        Map<Family, Uplink> uplinks,
        MainTable main,
        List<Prefix> connected,
        Set<String> links,
        Set<String> connectedLinks,
        Ipv6 ipv6,
        boolean strictReversePath,
        Set<Family> forwarding,
        boolean writableSysctl,
        boolean netAdmin,
        boolean tunDevice,
        boolean kernelWireGuard) {

    /** The fields besides uplinks and main table, by name. */
    public static final class Fields {
        public List<Prefix> connected = List.of();
        public Set<String> links = Set.of();
        public Set<String> connectedLinks = Set.of();
        public Ipv6 ipv6 = Ipv6.ENABLED;
        public boolean strictReversePath;
        public Set<Family> forwarding = Set.of();
        public boolean writableSysctl;
        public boolean netAdmin;
        public boolean tunDevice;
        public boolean kernelWireGuard;

        private Fields() {}
    }

    /** Returns the machine with the fields that {@code others} sets. */
    public static Machine of(Map<Family, Uplink> uplinks, MainTable main, Consumer<Fields> others) {
        Fields fields = new Fields();
        others.accept(fields);
        return new Machine(
                uplinks,
                main,
                fields.connected,
                fields.links,
                fields.connectedLinks,
                fields.ipv6,
                fields.strictReversePath,
                fields.forwarding,
                fields.writableSysctl,
                fields.netAdmin,
                fields.tunDevice,
                fields.kernelWireGuard);
    }

    public Machine {
        uplinks = Map.copyOf(uplinks);
        connected = List.copyOf(connected);
        links = Set.copyOf(links);
        connectedLinks = Set.copyOf(connectedLinks);
        forwarding = Set.copyOf(forwarding);
    }

    /** Returns whether packets can leave: in any family, by a link with a carrier and an address. */
    public boolean hasWorkingUplink() {
        return uplinks.values().stream()
                .anyMatch(uplink -> !uplink.addresses().isEmpty() && connectedLinks.contains(uplink.link()));
    }
}
