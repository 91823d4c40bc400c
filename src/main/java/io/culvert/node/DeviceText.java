package io.culvert.node;

import io.culvert.device.DeviceConfig;
import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.ip.Endpoint;
import io.culvert.ip.Prefix;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.PublicKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Describes the changes to a device in the syntax of {@code wg}, without secrets. */
record DeviceText(String link, PeerNames peers) {

    private static final DeviceState NEW = new DeviceState(Optional.empty(), 0, 0, List.of());

    /**
     * Returns the commands that would configure the device as wanted.
     *
     * @param now the current state; empty for a device that does not exist yet
     */
    List<String> difference(DeviceConfig wanted, Optional<DeviceState> now) {
        DeviceState state = now.orElse(NEW);
        List<String> lines = new ArrayList<>();
        if (!state.publicKey().equals(Optional.of(Keys.publicOf(wanted.privateKey())))) {
            lines.add("wg set " + link + " private-key (hidden)");
        }
        if (wanted.listenPort() != 0 && wanted.listenPort() != state.listenPort()) {
            lines.add("wg set " + link + " listen-port " + wanted.listenPort());
        }
        if (wanted.mark() != state.mark()) {
            lines.add("wg set " + link + " fwmark 0x" + Long.toHexString(wanted.mark()));
        }
        Map<PublicKey, PeerState> left = new LinkedHashMap<>();
        state.peers().forEach(peer -> left.put(peer.publicKey(), peer));
        for (PeerConfig peer : wanted.peers()) {
            String words = words(peer, Optional.ofNullable(left.remove(peer.publicKey())));
            if (!words.isEmpty()) {
                lines.add(line(peer.publicKey(), words));
            }
        }
        left.keySet().forEach(key -> lines.add(line(key, " remove")));
        return lines;
    }

    private String line(PublicKey key, String words) {
        return "wg set " + link + " peer " + key + words + " # " + peers.of(key);
    }

    private static String words(PeerConfig wanted, Optional<PeerState> now) {
        StringBuilder words = new StringBuilder();
        if (wanted.presharedKey().isPresent()
                != now.filter(PeerState::presharedKey).isPresent()) {
            words.append(wanted.presharedKey().isPresent() ? " preshared-key (hidden)" : " preshared-key /dev/null");
        }
        wanted.endpoint()
                .filter(endpoint -> !now.flatMap(PeerState::endpoint).equals(Optional.of(endpoint)))
                .ifPresent(endpoint -> words.append(" endpoint ").append(Endpoint.of(endpoint)));
        if (wanted.keepaliveSeconds() != now.map(PeerState::keepaliveSeconds).orElse(0)) {
            words.append(" persistent-keepalive ").append(wanted.keepaliveSeconds());
        }
        List<Prefix> allowed = now.map(PeerState::allowedIps).orElse(List.of());
        if (now.isEmpty() || !new HashSet<>(wanted.allowedIps()).equals(new HashSet<>(allowed))) {
            words.append(" allowed-ips ")
                    .append(wanted.allowedIps().stream().map(Prefix::toString).collect(Collectors.joining(",")));
        }
        return words.toString();
    }
}
