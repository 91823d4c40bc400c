// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.net.Endpoint;
import io.culvert.net.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A {@code [Peer]} section.
 *
 * @param allowedIps with host bits cleared, in the file's order
 * @param keepaliveSeconds {@code PersistentKeepalive}, 1 to 65535; empty where it is absent or off
 */
public record Peer(
        PublicKey publicKey,
        Optional<SecretKey> presharedKey,
        List<Prefix> allowedIps,
        Optional<Endpoint> endpoint,
        OptionalInt keepaliveSeconds) {

    public Peer {
        allowedIps = List.copyOf(allowedIps);
    }

    /** Returns this peer with another endpoint. */
    public Peer withEndpoint(Optional<Endpoint> otherEndpoint) {
        return new Peer(publicKey, presharedKey, allowedIps, otherEndpoint, keepaliveSeconds);
    }
}
