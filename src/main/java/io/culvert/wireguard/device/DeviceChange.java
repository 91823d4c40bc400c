// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.net.Prefix;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A change of a device's configuration; what is empty is not changed. Sending only differences matters: a device whose
 * port is set again, even to the same one, closes its socket, and a peer whose allowed IPs are replaced drops packets
 * meanwhile.
 */
record DeviceChange(Optional<SecretKey> privateKey, OptionalInt listenPort, OptionalLong mark, List<PeerChange> peers) {

    /** Removes a preshared key. */
    static final SecretKey NO_KEY = new SecretKey(new byte[32]);

    /** Turned on for a moment, if keepalive is off, to make the device send a packet. */
    private static final int MOMENTARY_KEEPALIVE = 25;

    DeviceChange {
        peers = List.copyOf(peers);
    }

    /**
     * A change of a peer.
     *
     * @param remove removes the peer; everything else is empty then
     * @param onlyIfExists does not add a peer that does not exist
     * @param presharedKey {@link #NO_KEY} to remove it
     * @param allowedIps the complete list
     */
    record PeerChange(
            PublicKey publicKey,
            boolean remove,
            boolean onlyIfExists,
            Optional<SecretKey> presharedKey,
            Optional<InetSocketAddress> endpoint,
            OptionalInt keepaliveSeconds,
            Optional<List<Prefix>> allowedIps) {

        static PeerChange removal(PublicKey key) {
            return new PeerChange(
                    key, true, false, Optional.empty(), Optional.empty(), OptionalInt.empty(), Optional.empty());
        }

        static PeerChange ofEndpoint(PublicKey key, Optional<InetSocketAddress> endpoint, int keepaliveSeconds) {
            return new PeerChange(
                    key, false, true, Optional.empty(), endpoint, OptionalInt.of(keepaliveSeconds), Optional.empty());
        }

        static PeerChange addition(PeerConfig peer, List<Prefix> allowedIps) {
            return new PeerChange(
                    peer.publicKey(),
                    false,
                    false,
                    peer.presharedKey(),
                    peer.endpoint(),
                    OptionalInt.of(peer.keepaliveSeconds()),
                    Optional.of(allowedIps));
        }

        static PeerChange between(PeerConfig peer, List<Prefix> allowedIps, PeerState current) {
            return new PeerChange(
                    peer.publicKey(),
                    false,
                    false,
                    // The current key cannot be read, so a configured one is set again, which ends no session.
                    peer.presharedKey().or(() -> current.presharedKey() ? Optional.of(NO_KEY) : Optional.empty()),
                    peer.endpoint().filter(endpoint -> !current.endpoint().equals(Optional.of(endpoint))),
                    peer.keepaliveSeconds() == current.keepaliveSeconds()
                            ? OptionalInt.empty()
                            : OptionalInt.of(peer.keepaliveSeconds()),
                    new HashSet<>(allowedIps).equals(new HashSet<>(current.allowedIps()))
                            ? Optional.empty()
                            : Optional.of(allowedIps));
        }

        boolean isEmpty() {
            return !remove
                    && presharedKey.isEmpty()
                    && endpoint.isEmpty()
                    && keepaliveSeconds.isEmpty()
                    && allowedIps.isEmpty();
        }
    }

    /** Returns the change from a state to the desired configuration. */
    static DeviceChange between(DeviceConfig config, DeviceState current) {
        Map<PublicKey, PeerState> currentPeers =
                current.peers().stream().collect(Collectors.toMap(PeerState::publicKey, Function.identity()));
        Map<PublicKey, List<Prefix>> allowedIps = effectiveAllowedIps(config);
        Set<PublicKey> configuredKeys = allowedIps.keySet();
        Stream<PeerChange> removals = current.peers().stream()
                .map(PeerState::publicKey)
                .filter(key -> !configuredKeys.contains(key))
                .map(PeerChange::removal);
        Stream<PeerChange> others = config.peers().stream()
                .map(peer -> {
                    List<Prefix> prefixes = allowedIps.getOrDefault(peer.publicKey(), List.of());
                    PeerState state = currentPeers.get(peer.publicKey());
                    return state == null
                            ? PeerChange.addition(peer, prefixes)
                            : PeerChange.between(peer, prefixes, state);
                })
                .filter(change -> !change.isEmpty());
        return new DeviceChange(
                current.publicKey().equals(Optional.of(KeyGenerator.publicOf(config.privateKey())))
                        ? Optional.empty()
                        : Optional.of(config.privateKey()),
                config.listenPort() == 0 || config.listenPort() == current.listenPort()
                        ? OptionalInt.empty()
                        : OptionalInt.of(config.listenPort()),
                config.mark() == current.mark() ? OptionalLong.empty() : OptionalLong.of(config.mark()),
                Stream.concat(removals, others).toList());
    }

    /**
     * Returns the changes that set a peer's endpoint and make the device send a packet there at once, to be applied in
     * order: keepalive off, and on again.
     *
     * @param keepaliveSeconds the peer's own; 0 for off
     */
    static List<DeviceChange> endpointChange(PublicKey peer, InetSocketAddress endpoint, int keepaliveSeconds) {
        List<DeviceChange> steps = new ArrayList<>();
        steps.add(ofPeer(PeerChange.ofEndpoint(peer, Optional.of(endpoint), 0)));
        steps.add(ofPeer(PeerChange.ofEndpoint(
                peer, Optional.empty(), keepaliveSeconds == 0 ? MOMENTARY_KEEPALIVE : keepaliveSeconds)));
        if (keepaliveSeconds == 0) {
            steps.add(ofPeer(PeerChange.ofEndpoint(peer, Optional.empty(), 0)));
        }
        return steps;
    }

    private static DeviceChange ofPeer(PeerChange change) {
        return new DeviceChange(Optional.empty(), OptionalInt.empty(), OptionalLong.empty(), List.of(change));
    }

    boolean isEmpty() {
        return privateKey.isEmpty() && listenPort.isEmpty() && mark.isEmpty() && peers.isEmpty();
    }

    /**
     * Returns what still differs after a change, for messages. Endpoints are ignored, as a peer may have roamed
     * meanwhile, and of preshared keys only the presence is compared.
     */
    static List<String> remaining(DeviceConfig config, DeviceState current) {
        DeviceChange difference = between(config, current);
        List<String> names = new ArrayList<>();
        difference.privateKey().ifPresent(_ -> names.add("private key"));
        difference.listenPort().ifPresent(_ -> names.add("listen port"));
        difference.mark().ifPresent(_ -> names.add("firewall mark"));
        Map<PublicKey, PeerState> currentPeers =
                current.peers().stream().collect(Collectors.toMap(PeerState::publicKey, Function.identity()));
        for (PeerChange change : difference.peers()) {
            PeerState state = currentPeers.get(change.publicKey());
            boolean key = change.presharedKey().isPresent()
                    && (state == null
                            || state.presharedKey()
                                    == NO_KEY.equals(change.presharedKey().get()));
            if (change.remove()
                    || key
                    || change.keepaliveSeconds().isPresent()
                    || change.allowedIps().isPresent()) {
                names.add("peer " + change.publicKey().shortText());
            }
        }
        return names;
    }

    /** Returns the allowed IPs per peer; WireGuard assigns a prefix of several peers to the last of them. */
    private static Map<PublicKey, List<Prefix>> effectiveAllowedIps(DeviceConfig config) {
        Map<Prefix, PublicKey> owners = new HashMap<>();
        config.peers().forEach(peer -> peer.allowedIps().forEach(prefix -> owners.put(prefix, peer.publicKey())));
        return config.peers().stream()
                .collect(Collectors.toMap(
                        PeerConfig::publicKey,
                        peer -> peer.allowedIps().stream()
                                .distinct()
                                .filter(prefix -> owners.getOrDefault(prefix, peer.publicKey())
                                        .equals(peer.publicKey()))
                                .toList()));
    }
}
