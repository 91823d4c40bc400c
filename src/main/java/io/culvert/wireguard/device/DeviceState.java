// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.net.Prefix;
import io.culvert.wireguard.config.PublicKey;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The state that a device reports, without secrets.
 *
 * @param publicKey empty if no private key is set
 * @param mark the firewall mark of the encrypted packets; 0 for none
 */
public record DeviceState(Optional<PublicKey> publicKey, int listenPort, long mark, List<PeerState> peers) {

    public DeviceState {
        peers = List.copyOf(peers);
    }

    /** Returns the latest handshake of any peer; empty before the first. */
    public Optional<Instant> lastHandshake() {
        return peers.stream()
                .map(PeerState::lastHandshake)
                .flatMap(Optional::stream)
                .max(Instant::compareTo);
    }

    /**
     * The state of a peer.
     *
     * @param lastHandshake empty before the first
     * @param receivedBytes since the peer was added
     * @param sentBytes since the peer was added
     */
    public record PeerState(
            PublicKey publicKey,
            boolean presharedKey,
            Optional<InetSocketAddress> endpoint,
            Optional<Instant> lastHandshake,
            long receivedBytes,
            long sentBytes,
            int keepaliveSeconds,
            List<Prefix> allowedIps) {

        public PeerState {
            allowedIps = List.copyOf(allowedIps);
        }

        /** Returns whether there is a session with the peer. */
        public boolean hasSession(Instant now) {
            return lastHandshake
                    .filter(handshake -> WireGuardTimers.isSessionValid(handshake, now))
                    .isPresent();
        }
    }
}
