// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.wireguard.device.DeviceConfig;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Detects servers that respond from another address or port than their configured endpoint. */
final class ServerRoaming {

    private ServerRoaming() {}

    /**
     * Returns where a server responds from, if not from its endpoint. WireGuard sends to the source of the last
     * authenticated packet from a peer (white paper, section 2.1).
     */
    static Optional<InetSocketAddress> findRoamed(DeviceState state, DeviceConfig config) {
        Map<?, PeerState> states =
                state.peers().stream().collect(Collectors.toMap(PeerState::publicKey, Function.identity()));
        return config.peers().stream()
                .filter(peer -> peer.endpoint().isPresent())
                .flatMap(peer -> roamed(peer, Optional.ofNullable(states.get(peer.publicKey()))).stream())
                .findFirst();
    }

    private static Optional<InetSocketAddress> roamed(PeerConfig peer, Optional<PeerState> state) {
        return state.filter(it -> it.lastHandshake().isPresent())
                .flatMap(PeerState::endpoint)
                .filter(now -> !peer.endpoint().equals(Optional.of(now)));
    }
}
