package io.culvert.wireguard;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Prefix;
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
    public Peer at(Optional<Endpoint> other) {
        return new Peer(publicKey, presharedKey, allowedIps, other, keepaliveSeconds);
    }
}
