// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.net.Family;
import io.culvert.wireguard.config.Peer;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceConfig;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Converts WireGuard files to device configurations: with names resolved and Culvert's firewall mark set. */
final class DevicePlan {

    private DevicePlan() {}

    /**
     * Returns the device configuration of a file.
     *
     * @param reaches whether the machine has a route to an address; an unreachable endpoint is left out
     * @param keepaliveSeconds upper limit of the keepalive interval for servers, so that one that does not respond is
     *     detected whatever the file says; 0 to use the file's value
     */
    static DeviceConfig of(
            WireGuardConfig file,
            long mark,
            ResolvedNames names,
            Predicate<InetAddress> reaches,
            int keepaliveSeconds) {
        return new DeviceConfig(
                file.privateKey(),
                file.listenPort().orElse(0),
                mark,
                file.peers().stream()
                        .map(peer -> peer(peer, names, reaches, keepaliveSeconds))
                        .toList());
    }

    /** Returns the configuration with another listen port. */
    static DeviceConfig withPort(DeviceConfig device, int port) {
        return new DeviceConfig(device.privateKey(), port, device.mark(), device.peers());
    }

    /** Returns the configuration of the same device without a server: it sends nothing, and rejects all packets. */
    static DeviceConfig withoutPeers(DeviceConfig device) {
        return new DeviceConfig(device.privateKey(), device.listenPort(), device.mark(), List.of());
    }

    /**
     * Returns the configuration of a peer. A server that is not reachable yet gets neither keepalives nor AllowedIPs:
     * any packet for it would start a handshake that fails, and delay the next attempt by {@code REKEY_TIMEOUT} (5 s).
     * A mesh peer keeps its AllowedIPs, as it may be the initiator.
     */
    private static PeerConfig peer(
            Peer peer, ResolvedNames names, Predicate<InetAddress> reaches, int keepaliveSeconds) {
        Optional<InetSocketAddress> endpoint =
                peer.endpoint().flatMap(candidates -> names.reachable(candidates, reaches));
        int configuredKeepalive = peer.keepaliveSeconds().orElse(0);
        int keepalive = peer.endpoint().isPresent()
                        && (configuredKeepalive == 0 || configuredKeepalive > keepaliveSeconds)
                        && keepaliveSeconds > 0
                ? keepaliveSeconds
                : configuredKeepalive;
        boolean unreachable = peer.endpoint().isPresent() && endpoint.isEmpty();
        return new PeerConfig(
                peer.publicKey(),
                peer.presharedKey(),
                endpoint,
                unreachable ? 0 : keepalive,
                unreachable && keepaliveSeconds > 0 ? List.of() : peer.allowedIps());
    }

    /** Returns the family of the endpoints if all known endpoints have the same one. */
    static Optional<Family> endpointFamily(DeviceConfig device) {
        Set<Family> families = device.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .map(endpoint -> Family.of(endpoint.getAddress()))
                .collect(java.util.stream.Collectors.toSet());
        return families.size() == 1 ? Optional.of(families.iterator().next()) : Optional.empty();
    }
}
