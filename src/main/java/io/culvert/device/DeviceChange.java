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
 * What must be told to a device; what is empty stays as it is. Telling less than everything matters: a device that is told
 * its own port again closes its socket, and a peer whose allowed IPs are replaced drops packets meanwhile.
 */
record DeviceChange(Optional<SecretKey> privateKey, OptionalInt listenPort, OptionalLong mark, List<PeerChange> peers) {

    /** Turns a preshared key off. */
    static final SecretKey NO_KEY = new SecretKey(new byte[32]);

    /** Where keepalive is off, it is turned on for a moment to make the device send a packet. */
    private static final int MOMENTARY_KEEPALIVE = 25;

    DeviceChange {
        peers = List.copyOf(peers);
    }

    /**
     * What must be told of a peer.
     *
     * @param remove all else is empty then
     * @param onlyIfThere does not make a new peer
     * @param presharedKey {@link #NO_KEY} to turn it off
     * @param allowedIps all of them
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
                    // What it is now, nobody tells: one that is wanted is set again, which costs no session.
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

    /** What makes a device that is in one state as it is wanted. */
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
     * What moves a peer and makes the device send a packet there at once, in steps that must be told one after the other:
     * keepalive off, and on again.
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
     * What is still not as wanted after a change, in words for people. Endpoints do not count, for a peer may have moved by
     * itself meanwhile; nor do preshared keys beyond being there.
     */
    static List<String> remaining(DeviceConfig wanted, DeviceState now) {
        DeviceChange left = between(wanted, now);
        List<String> words = new ArrayList<>();
        left.privateKey().ifPresent(_ -> words.add("the private key"));
        left.listenPort().ifPresent(_ -> words.add("the listen port"));
        left.mark().ifPresent(_ -> words.add("the mark"));
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

    /** WireGuard gives a prefix that several peers claim to the last of them. */
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
