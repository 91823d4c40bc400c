// SPDX-License-Identifier: Apache-2.0
package io.culvert.mesh;

import io.culvert.diagnostics.Log;
import io.culvert.net.Endpoint;
import io.culvert.plan.ResolvedNames;
import io.culvert.plan.WireGuardMeshInterface;
import io.culvert.roaming.EndpointSelector;
import io.culvert.roaming.PeerStatus;
import io.culvert.roaming.RoamingPeer;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceConfig;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.ManagedDevice;
import io.culvert.wireguard.device.WireGuardTimers;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A mesh interface with endpoint selection for the peers that have endpoint candidates in a network file. */
final class MeshDevice {

    private WireGuardMeshInterface mesh;
    private final ManagedDevice device;
    private final long mark;
    private final Clock clock;
    private final Log log;
    private final Map<PublicKey, Optional<InetSocketAddress>> initialEndpoints = new HashMap<>();
    private Optional<EndpointSelector> endpointSelector = Optional.empty();

    /** @param mark the firewall mark of the packets that the interface sends */
    MeshDevice(WireGuardMeshInterface mesh, ManagedDevice device, long mark, Clock clock, Log log) {
        this.mesh = mesh;
        this.device = device;
        this.mark = mark;
        this.clock = clock;
        this.log = log;
    }

    /** Uses a changed definition of the same interface, from the next {@link #ensure} on. */
    void setDefinition(WireGuardMeshInterface changed) {
        mesh = changed;
    }

    /** Brings the interface up as configured, or applies a changed configuration. Idempotent. */
    void ensure(DeviceConfig config, ResolvedNames names) {
        List<RoamingPeer> peers = mesh.peers().stream()
                .map(link -> MeshNodeFile.roamingPeer(link, names))
                .filter(peer -> !peer.candidates().isEmpty())
                .toList();
        device.ensure(withInitialEndpoints(config, peers));
        if (endpointSelector.isEmpty() && !peers.isEmpty()) {
            endpointSelector = Optional.of(EndpointSelector.start(device, mark, clock, log));
        }
        endpointSelector.ifPresent(it -> it.setPeers(peers));
    }

    /** Informs peers with a session only, as a packet to the others would cause a handshake that may fail. */
    void announceNewAddresses() {
        device.announceNewAddresses(clock.instant().minus(WireGuardTimers.REJECT_AFTER_TIME));
    }

    /** Keeps the configured endpoint of a connected peer, even if its host name resolves to another address now. */
    private DeviceConfig withInitialEndpoints(DeviceConfig config, List<RoamingPeer> peers) {
        Map<PublicKey, PeerState> states = device.read().stream()
                .flatMap(state -> state.peers().stream())
                .collect(Collectors.toMap(PeerState::publicKey, Function.identity()));
        initialEndpoints
                .keySet()
                .retainAll(peers.stream()
                        .filter(peer -> Optional.ofNullable(states.get(peer.key()))
                                .filter(state -> peer.keepsEndpoint(state, clock.instant()))
                                .isPresent())
                        .map(RoamingPeer::key)
                        .collect(Collectors.toSet()));
        return new DeviceConfig(
                config.privateKey(),
                config.listenPort(),
                config.mark(),
                config.peers().stream()
                        .map(peer -> new PeerConfig(
                                peer.publicKey(),
                                peer.presharedKey(),
                                initialEndpoints.computeIfAbsent(peer.publicKey(), _ -> peer.endpoint()),
                                peer.keepaliveSeconds(),
                                peer.allowedIps()))
                        .toList());
    }

    /** Returns its state; empty if it does not respond. */
    Optional<DeviceState> read() {
        return device.read();
    }

    /** @param withSubnet whether to add the subnet, as there are several interfaces */
    String describe(boolean withSubnet) {
        String prefix = mesh.link()
                + mesh.subnet()
                        .filter(_ -> withSubnet)
                        .map(it -> " (" + it + ")")
                        .orElse("");
        return device.read()
                .map(state -> prefix + ", " + device.implementation() + ", port " + state.listenPort() + ", "
                        + "clients connected: " + connected(state) + " of "
                        + state.peers().size() + notPreferred())
                .orElse(prefix + ", down");
    }

    /** Returns the peers that are not connected by their first endpoint candidate. */
    private String notPreferred() {
        StringBuilder text = new StringBuilder();
        endpointSelector.ifPresent(it -> it.statuses().forEach((name, status) -> {
            if (status.state() != PeerStatus.State.PREFERRED) {
                text.append("; ").append(name).append(" ").append(status.state());
                status.endpoint().ifPresent(at -> text.append(" at ").append(Endpoint.of(at)));
            }
        }));
        return text.toString();
    }

    private static long connected(DeviceState state) {
        return state.peers().stream()
                .filter(peer -> peer.lastHandshake().isPresent())
                .count();
    }

    /** Removes the interface. Idempotent. */
    void remove() {
        endpointSelector.ifPresent(EndpointSelector::close);
        endpointSelector = Optional.empty();
        initialEndpoints.clear();
        device.remove();
    }
}
