package io.culvert.device;

import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.ip.Prefix;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.SecretKey;
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
     * @param onlyIfThere does not add a peer that does not exist
     * @param presharedKey {@link #NO_KEY} to remove it
     * @param allowedIps the complete list
     */
    record PeerChange(
            PublicKey publicKey,
            boolean remove,
            boolean onlyIfThere,
            Optional<SecretKey> presharedKey,
            Optional<InetSocketAddress> endpoint,
            OptionalInt keepaliveSeconds,
            Optional<List<Prefix>> allowedIps) {

        static PeerChange removal(PublicKey key) {
            return new PeerChange(
                    key, true, false, Optional.empty(), Optional.empty(), OptionalInt.empty(), Optional.empty());
        }

        static PeerChange move(PublicKey key, Optional<InetSocketAddress> endpoint, int keepaliveSeconds) {
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

        static PeerChange between(PeerConfig peer, List<Prefix> allowedIps, PeerState now) {
            return new PeerChange(
                    peer.publicKey(),
                    false,
                    false,
                    // The current key cannot be read, so a wanted one is set again, which ends no session.
                    peer.presharedKey().or(() -> now.presharedKey() ? Optional.of(NO_KEY) : Optional.empty()),
                    peer.endpoint().filter(endpoint -> !now.endpoint().equals(Optional.of(endpoint))),
                    peer.keepaliveSeconds() == now.keepaliveSeconds()
                            ? OptionalInt.empty()
                            : OptionalInt.of(peer.keepaliveSeconds()),
                    new HashSet<>(allowedIps).equals(new HashSet<>(now.allowedIps()))
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

    /** Returns the change from a state to the wanted configuration. */
    static DeviceChange between(DeviceConfig wanted, DeviceState now) {
        Map<PublicKey, PeerState> present =
                now.peers().stream().collect(Collectors.toMap(PeerState::publicKey, Function.identity()));
        Map<PublicKey, List<Prefix>> allowedIps = effectiveAllowedIps(wanted);
        Set<PublicKey> wantedKeys = allowedIps.keySet();
        Stream<PeerChange> removals = now.peers().stream()
                .map(PeerState::publicKey)
                .filter(key -> !wantedKeys.contains(key))
                .map(PeerChange::removal);
        Stream<PeerChange> others = wanted.peers().stream()
                .map(peer -> {
                    List<Prefix> prefixes = allowedIps.getOrDefault(peer.publicKey(), List.of());
                    PeerState state = present.get(peer.publicKey());
                    return state == null
                            ? PeerChange.addition(peer, prefixes)
                            : PeerChange.between(peer, prefixes, state);
                })
                .filter(change -> !change.isEmpty());
        return new DeviceChange(
                now.publicKey().equals(Optional.of(Keys.publicOf(wanted.privateKey())))
                        ? Optional.empty()
                        : Optional.of(wanted.privateKey()),
                wanted.listenPort() == 0 || wanted.listenPort() == now.listenPort()
                        ? OptionalInt.empty()
                        : OptionalInt.of(wanted.listenPort()),
                wanted.mark() == now.mark() ? OptionalLong.empty() : OptionalLong.of(wanted.mark()),
                Stream.concat(removals, others).toList());
    }

    /**
     * Returns the changes that set a peer's endpoint and make the device send a packet there at once, to be applied in
     * order: keepalive off, and on again.
     *
     * @param keepaliveSeconds the peer's own; 0 for off
     */
    static List<DeviceChange> moving(PublicKey peer, InetSocketAddress endpoint, int keepaliveSeconds) {
        List<DeviceChange> steps = new ArrayList<>();
        steps.add(ofPeer(PeerChange.move(peer, Optional.of(endpoint), 0)));
        steps.add(ofPeer(PeerChange.move(
                peer, Optional.empty(), keepaliveSeconds == 0 ? MOMENTARY_KEEPALIVE : keepaliveSeconds)));
        if (keepaliveSeconds == 0) {
            steps.add(ofPeer(PeerChange.move(peer, Optional.empty(), 0)));
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
    static List<String> remaining(DeviceConfig wanted, DeviceState now) {
        DeviceChange left = between(wanted, now);
        List<String> words = new ArrayList<>();
        left.privateKey().ifPresent(_ -> words.add("private key"));
        left.listenPort().ifPresent(_ -> words.add("listen port"));
        left.mark().ifPresent(_ -> words.add("firewall mark"));
        Map<PublicKey, PeerState> present =
                now.peers().stream().collect(Collectors.toMap(PeerState::publicKey, Function.identity()));
        for (PeerChange change : left.peers()) {
            PeerState state = present.get(change.publicKey());
            boolean key = change.presharedKey().isPresent()
                    && (state == null
                            || state.presharedKey()
                                    == NO_KEY.equals(change.presharedKey().get()));
            if (change.remove()
                    || key
                    || change.keepaliveSeconds().isPresent()
                    || change.allowedIps().isPresent()) {
                words.add("peer " + change.publicKey().shortText());
            }
        }
        return words;
    }

    /** Returns the allowed IPs per peer; WireGuard assigns a prefix of several peers to the last of them. */
    private static Map<PublicKey, List<Prefix>> effectiveAllowedIps(DeviceConfig wanted) {
        Map<Prefix, PublicKey> owners = new HashMap<>();
        wanted.peers().forEach(peer -> peer.allowedIps().forEach(prefix -> owners.put(prefix, peer.publicKey())));
        return wanted.peers().stream()
                .collect(Collectors.toMap(
                        PeerConfig::publicKey,
                        peer -> peer.allowedIps().stream()
                                .distinct()
                                .filter(prefix -> owners.getOrDefault(prefix, peer.publicKey())
                                        .equals(peer.publicKey()))
                                .toList()));
    }
}
