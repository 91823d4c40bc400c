package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.ip.Family;
import io.culvert.wireguard.Peer;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** A WireGuard file as a device takes it: names resolved, our mark set. */
final class DevicePlan {

    private DevicePlan() {}

    /**
     * @param reaches whether the machine has a way to an address; an endpoint without one is left out
     * @param keepaliveSeconds the most for servers, so that a silent one is noticed, whatever their file says; 0: as the file
     *     says
     */
    static DeviceConfig of(
            WireGuardConfig file, long mark, Names names, Predicate<InetAddress> reaches, int keepaliveSeconds) {
        return new DeviceConfig(
                file.privateKey(),
                file.listenPort().orElse(0),
                mark,
                file.peers().stream()
                        .map(peer -> peer(peer, names, reaches, keepaliveSeconds))
                        .toList());
    }

    /** The same with this UDP port. */
    static DeviceConfig withPort(DeviceConfig device, int port) {
        return new DeviceConfig(device.privateKey(), port, device.mark(), device.peers());
    }

    /** Where its packets go, as far as names are known. */
    static List<InetSocketAddress> endpoints(DeviceConfig device) {
        return device.peers().stream().flatMap(peer -> peer.endpoint().stream()).toList();
    }

    /**
     * Whatever is sent to a server that cannot be reached yet, a keepalive or anybody's packet, would be tried in vain, and the
     * next try, with which the tunnel comes up, only {@code REKEY_TIMEOUT} (5 s) later. So it gets no packets until then; a peer
     * of a mesh keeps its addresses, as it may be the one that begins.
     */
    private static PeerConfig peer(Peer peer, Names names, Predicate<InetAddress> reaches, int keepaliveSeconds) {
        Optional<InetSocketAddress> endpoint = peer.endpoint().flatMap(wanted -> names.reachable(wanted, reaches));
        int wanted = peer.keepaliveSeconds().orElse(0);
        int keepalive =
                peer.endpoint().isPresent() && (wanted == 0 || wanted > keepaliveSeconds) && keepaliveSeconds > 0
                        ? keepaliveSeconds
                        : wanted;
        boolean unreachable = peer.endpoint().isPresent() && endpoint.isEmpty();
        return new PeerConfig(
                peer.publicKey(),
                peer.presharedKey(),
                endpoint,
                unreachable ? 0 : keepalive,
                unreachable && keepaliveSeconds > 0 ? List.of() : peer.allowedIps());
    }

    /** The family of the endpoints, where all that are known share one. */
    static Optional<Family> endpointFamily(DeviceConfig device) {
        Set<Family> found = device.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .map(endpoint -> Family.of(endpoint.getAddress()))
                .collect(java.util.stream.Collectors.toSet());
        return found.size() == 1 ? Optional.of(found.iterator().next()) : Optional.empty();
    }
}
