// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.net.Endpoint;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceConfig;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Describes the changes to a device in the syntax of {@code wg}, without secrets. */
record WgSetCommands(String link, PeerNames peers) {

    private static final DeviceState NEW = new DeviceState(Optional.empty(), 0, 0, List.of());

    /**
     * Returns the commands that would configure the device as desired.
     *
     * @param current the current state; empty for a device that does not exist yet
     */
    List<String> commands(DeviceConfig config, Optional<DeviceState> current) {
        DeviceState state = current.orElse(NEW);
        List<String> lines = new ArrayList<>();
        if (!state.publicKey().equals(Optional.of(KeyGenerator.publicOf(config.privateKey())))) {
            lines.add("wg set " + link + " private-key (hidden)");
        }
        if (config.listenPort() != 0 && config.listenPort() != state.listenPort()) {
            lines.add("wg set " + link + " listen-port " + config.listenPort());
        }
        if (config.mark() != state.mark()) {
            lines.add("wg set " + link + " fwmark 0x" + Long.toHexString(config.mark()));
        }
        Map<PublicKey, PeerState> remaining = new LinkedHashMap<>();
        state.peers().forEach(peer -> remaining.put(peer.publicKey(), peer));
        for (PeerConfig peer : config.peers()) {
            String arguments = arguments(peer, Optional.ofNullable(remaining.remove(peer.publicKey())));
            if (!arguments.isEmpty()) {
                lines.add(line(peer.publicKey(), arguments));
            }
        }
        remaining.keySet().forEach(key -> lines.add(line(key, " remove")));
        return lines;
    }

    private String line(PublicKey key, String arguments) {
        return "wg set " + link + " peer " + key + arguments + " # " + peers.of(key);
    }

    private static String arguments(PeerConfig peer, Optional<PeerState> current) {
        StringBuilder arguments = new StringBuilder();
        if (peer.presharedKey().isPresent()
                != current.filter(PeerState::presharedKey).isPresent()) {
            arguments.append(peer.presharedKey().isPresent() ? " preshared-key (hidden)" : " preshared-key /dev/null");
        }
        peer.endpoint()
                .filter(endpoint -> !current.flatMap(PeerState::endpoint).equals(Optional.of(endpoint)))
                .ifPresent(endpoint -> arguments.append(" endpoint ").append(Endpoint.of(endpoint)));
        if (peer.keepaliveSeconds() != current.map(PeerState::keepaliveSeconds).orElse(0)) {
            arguments.append(" persistent-keepalive ").append(peer.keepaliveSeconds());
        }
        List<Prefix> allowed = current.map(PeerState::allowedIps).orElse(List.of());
        if (current.isEmpty() || !new HashSet<>(peer.allowedIps()).equals(new HashSet<>(allowed))) {
            arguments
                    .append(" allowed-ips ")
                    .append(peer.allowedIps().stream().map(Prefix::toString).collect(Collectors.joining(",")));
        }
        return arguments.toString();
    }
}
