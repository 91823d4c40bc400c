// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.net.Host;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A parsed and checked wg-quick file. Immutable; its string form contains no secrets.
 *
 * @param name the interface name as wg-quick derives it: the file name without {@code .conf}, or wg0 where that is not
 *     a valid interface name; 1 to 15 characters
 * @param addresses with host bits, as in the file
 * @param dnsServers addresses of {@code DNS=}
 * @param searchDomains names of {@code DNS=}
 * @param listenPort 1 to 65535; empty for a random one
 * @param fwMark 1 to 4294967295; empty where absent, 0 or off
 * @param mtu in bytes; empty where absent
 * @param saveConfig whether {@code SaveConfig = true} is set; has no effect
 */
public record WireGuardConfig(
        String name,
        SecretKey privateKey,
        List<Prefix> addresses,
        List<InetAddress> dnsServers,
        List<String> searchDomains,
        OptionalInt listenPort,
        OptionalLong fwMark,
        OptionalInt mtu,
        RoutingTable table,
        boolean saveConfig,
        List<Hook> hooks,
        List<Peer> peers) {

    public WireGuardConfig {
        addresses = List.copyOf(addresses);
        dnsServers = List.copyOf(dnsServers);
        searchDomains = List.copyOf(searchDomains);
        hooks = List.copyOf(hooks);
        peers = List.copyOf(peers);
    }

    /** Returns the host names of the peers' endpoints, in the order of the file. */
    public Set<Host.Name> hostNames() {
        return peers.stream()
                .flatMap(peer -> peer.endpoint().stream())
                .flatMap(endpoint -> endpoint.host() instanceof Host.Name name ? Stream.of(name) : Stream.empty())
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** Returns this configuration with other peers. */
    public WireGuardConfig withPeers(List<Peer> otherPeers) {
        return new WireGuardConfig(
                name,
                privateKey,
                addresses,
                dnsServers,
                searchDomains,
                listenPort,
                fwMark,
                mtu,
                table,
                saveConfig,
                hooks,
                otherPeers);
    }
}
