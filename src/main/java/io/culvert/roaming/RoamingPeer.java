// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;

/**
 * A peer with endpoint candidates.
 *
 * @param name the name in log lines
 * @param candidates the endpoint candidates, in order of preference
 * @param tunnelAddresses its addresses in the tunnel, the first of which is sent echo requests; empty where it has none
 */
public record RoamingPeer(
        PublicKey key, String name, List<InetSocketAddress> candidates, List<InetAddress> tunnelAddresses) {

    public RoamingPeer {
        candidates = List.copyOf(candidates);
        tunnelAddresses = List.copyOf(tunnelAddresses);
    }

    /** Returns whether the peer keeps its endpoint: a candidate, or one that it roamed to and has a session at. */
    public boolean keepsEndpoint(PeerState state, Instant now) {
        return state.endpoint().filter(candidates::contains).isPresent() || state.hasSession(now);
    }
}
