// SPDX-License-Identifier: Apache-2.0
package io.culvert.leaktest;

import io.culvert.net.Bypass;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.rtnl.Uplink;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a leak test has to know of the exit node: where packets may go, and what the settings allow.
 *
 * @param innerLinks tunnel and mesh interfaces; a packet that leaves by any other link, except loopback, has leaked
 * @param uplinks by family
 * @param links the other links with an address, by family
 * @param servers addresses and ports of the tunnel's server
 * @param resolvers the container's own DNS servers
 * @param lan networks that the settings allow outside the tunnel
 * @param bypasses destinations that the settings allow outside the tunnel
 */
public record LeakTestInput(
        Set<String> innerLinks,
        Map<Family, Uplink> uplinks,
        Map<Family, List<String>> links,
        Marks marks,
        List<InetSocketAddress> servers,
        List<InetAddress> resolvers,
        List<Prefix> lan,
        List<Bypass> bypasses) {

    /** Ports of DNS, and of DNS over TLS and over QUIC (RFC 7858, RFC 9250). */
    static final List<Integer> DNS_PORTS = List.of(53, 853);

    public LeakTestInput {
        innerLinks = Set.copyOf(innerLinks);
        uplinks = Map.copyOf(uplinks);
        links = Map.copyOf(links);
        servers = List.copyOf(servers);
        resolvers = List.copyOf(resolvers);
        lan = List.copyOf(lan);
        bypasses = List.copyOf(bypasses);
    }

    /** Returns the servers in this family. */
    List<InetSocketAddress> servers(Family family) {
        return servers.stream()
                .filter(server -> Family.of(server.getAddress()) == family)
                .toList();
    }

    /**
     * Returns what in the settings allows this destination, as it is shown: a network or a bypass.
     *
     * @param transport empty for ICMP
     */
    Optional<String> allowing(InetSocketAddress destination, Optional<Transport> transport) {
        boolean dns = transport.isPresent() && DNS_PORTS.contains(destination.getPort());
        Optional<String> bypass = bypasses.stream()
                .filter(it -> it.destination().contains(destination.getAddress()))
                .filter(it -> it.port().isPresent()
                        ? it.port().getAsInt() == destination.getPort() && transport.isPresent()
                        : !dns)
                .filter(it -> it.transport().isEmpty() || it.transport().equals(transport))
                .map(Bypass::toString)
                .findFirst();
        return bypass.or(() -> lan.stream()
                .filter(network -> !dns && network.contains(destination.getAddress()))
                .map(Prefix::toString)
                .findFirst());
    }
}
