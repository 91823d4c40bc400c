// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.Peer;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The desired configuration of a device, with resolved endpoints.
 *
 * @param listenPort 0 for a port chosen by the device
 * @param mark the firewall mark of the encrypted packets; 0 for none
 */
public record DeviceConfig(SecretKey privateKey, int listenPort, long mark, List<PeerConfig> peers) {

    public DeviceConfig {
        check(listenPort, 0, 65535, "listen port");
        check(mark, 0, 0xffff_ffffL, "firewall mark");
        peers = List.copyOf(peers);
        Set<PublicKey> keys = new HashSet<>();
        for (PeerConfig peer : peers) {
            if (!keys.add(peer.publicKey())) {
                throw new IllegalArgumentException("peer " + peer.publicKey().shortText() + " is listed twice");
            }
        }
    }

    /** Returns the endpoints of the peers whose names are resolved. */
    public List<InetSocketAddress> endpoints() {
        return peers.stream().flatMap(peer -> peer.endpoint().stream()).toList();
    }

    /**
     * Returns the configuration in a WireGuard file.
     *
     * @param mark the firewall mark of the encrypted packets; the file's own is ignored
     * @param resolved the addresses of endpoints with host names; an endpoint that is missing here is left empty
     */
    public static DeviceConfig of(WireGuardConfig file, long mark, Map<Endpoint, InetSocketAddress> resolved) {
        return new DeviceConfig(
                file.privateKey(),
                file.listenPort().orElse(0),
                mark,
                file.peers().stream().map(peer -> PeerConfig.of(peer, resolved)).toList());
    }

    /** Returns a copy with the peers' current endpoints. */
    DeviceConfig withEndpoints(DeviceState state) {
        Map<PublicKey, Optional<InetSocketAddress>> endpoints =
                state.peers().stream().collect(Collectors.toMap(PeerState::publicKey, PeerState::endpoint));
        return new DeviceConfig(
                privateKey,
                listenPort,
                mark,
                peers.stream()
                        .map(peer -> new PeerConfig(
                                peer.publicKey(),
                                peer.presharedKey(),
                                endpoints.getOrDefault(peer.publicKey(), Optional.empty()),
                                peer.keepaliveSeconds(),
                                peer.allowedIps()))
                        .toList());
    }

    /**
     * The configuration of a peer.
     *
     * @param endpoint empty if the peer connects to this device, or its name is not resolved yet
     * @param keepaliveSeconds 0 for off
     */
    public record PeerConfig(
            PublicKey publicKey,
            Optional<SecretKey> presharedKey,
            Optional<InetSocketAddress> endpoint,
            int keepaliveSeconds,
            List<Prefix> allowedIps) {

        public PeerConfig {
            check(keepaliveSeconds, 0, 65535, "keepalive interval");
            if (endpoint.isPresent()) {
                check(endpoint.get().getPort(), 1, 65535, "endpoint port");
                if (endpoint.get().isUnresolved()) {
                    throw new IllegalArgumentException(
                            "endpoint " + endpoint.get().getHostString() + " is not resolved");
                }
            }
            allowedIps = allowedIps.stream().map(Prefix::network).toList();
        }

        private static PeerConfig of(Peer peer, Map<Endpoint, InetSocketAddress> resolved) {
            return new PeerConfig(
                    peer.publicKey(),
                    peer.presharedKey(),
                    peer.endpoint().flatMap(endpoint -> address(endpoint, resolved)),
                    peer.keepaliveSeconds().orElse(0),
                    peer.allowedIps());
        }

        private static Optional<InetSocketAddress> address(
                Endpoint endpoint, Map<Endpoint, InetSocketAddress> resolved) {
            return switch (endpoint.host()) {
                case Host.Literal(var address) -> Optional.of(new InetSocketAddress(address, endpoint.port()));
                case Host.Name _ -> Optional.ofNullable(resolved.get(endpoint));
            };
        }
    }

    private static void check(long value, long least, long most, String name) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " " + value + " is outside " + least + " to " + most);
        }
    }
}
