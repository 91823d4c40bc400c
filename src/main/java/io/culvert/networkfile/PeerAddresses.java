// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The listen port, addresses and hosts entries of each peer by subnet, computed once so that all links share the lists. */
final class PeerAddresses {

    private record InSubnet(
            Optional<LocatedValue<Integer>> listenPort,
            List<Prefix> addresses,
            List<HostsEntry> hosts,
            List<HostsEntry> hostsWithPlainName) {}

    private static final InSubnet NONE = new InSubnet(Optional.empty(), List.of(), List.of(), List.of());

    private final List<List<InSubnet>> bySubnet = new ArrayList<>();

    PeerAddresses(NetworkDefinition network) {
        for (Member member : network.members()) {
            List<InSubnet> all = new ArrayList<>(network.subnets().size());
            for (Subnet subnet : network.subnets()) {
                String name = subnet.name().value();
                all.add(member.in(name)
                        .map(membership -> of(member.name().value(), name, membership))
                        .orElse(NONE));
            }
            bySubnet.add(all);
        }
    }

    private static InSubnet of(String peer, String subnet, Membership membership) {
        List<Prefix> addresses = membership.addresses().stream()
                .map(address -> Prefix.host(address.value().address()))
                .distinct()
                .toList();
        String full = peer + "." + subnet;
        return new InSubnet(
                membership.listenPort(),
                addresses,
                hosts(addresses, List.of(full)),
                hosts(addresses, List.of(full, peer)));
    }

    private static List<HostsEntry> hosts(List<Prefix> addresses, List<String> names) {
        return addresses.stream()
                .map(address -> new HostsEntry(address.address(), names))
                .toList();
    }

    Optional<LocatedValue<Integer>> listenPort(int member, int subnet) {
        return at(member, subnet).listenPort;
    }

    /** Returns the addresses as prefixes of full length. */
    List<Prefix> addresses(int member, int subnet) {
        return at(member, subnet).addresses;
    }

    /**
     * Returns the hosts entries of a peer.
     *
     * @param withPlainName whether to include the peer's name without the subnet
     */
    List<HostsEntry> hosts(int member, int subnet, boolean withPlainName) {
        InSubnet location = at(member, subnet);
        return withPlainName ? location.hostsWithPlainName : location.hosts;
    }

    private InSubnet at(int member, int subnet) {
        return bySubnet.get(member).get(subnet);
    }
}
