package io.culvert.mesh;

import io.culvert.device.DeviceConfig;
import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.device.KeptDevice;
import io.culvert.device.WireGuardDevice;
import io.culvert.ip.Endpoint;
import io.culvert.migration.Migration;
import io.culvert.migration.MovingPeer;
import io.culvert.migration.Standing;
import io.culvert.plan.Names;
import io.culvert.plan.PlainMesh;
import io.culvert.topology.MeshLink;
import io.culvert.wireguard.PublicKey;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A mesh interface with endpoint selection for the peers that have endpoint candidates in a network file. */
final class MeshDevice {

    private final PlainMesh mesh;
    private final KeptDevice device;
    private final long mark;
    private final Clock clock;
    private final Consumer<String> news;
    private final Map<PublicKey, Optional<InetSocketAddress>> begun = new HashMap<>();
    private Optional<Migration> migration = Optional.empty();

    /** @param mark the firewall mark of the packets that the interface sends */
    MeshDevice(PlainMesh mesh, KeptDevice device, long mark, Clock clock, Consumer<String> news) {
        this.mesh = mesh;
        this.device = device;
        this.mark = mark;
        this.clock = clock;
        this.news = news;
    }

    String link() {
        return mesh.link();
    }

    /** Brings the interface up as configured, or applies a changed configuration. Idempotent. */
    void keep(DeviceConfig wanted, Names names) {
        List<MovingPeer> peers = mesh.peers().stream()
                .map(link -> NodeFile.moving(link, places(link, names)))
                .filter(peer -> !peer.places().isEmpty())
                .toList();
        device.keep(settled(wanted, peers));
        if (migration.isEmpty() && !peers.isEmpty()) {
            migration = Optional.of(Migration.start(device, mark, clock, news));
        }
        migration.ifPresent(it -> it.follow(peers));
    }

    /** Informs peers with a session only, as a packet to the others would cause a handshake that may fail. */
    void announce() {
        device.announce(clock.instant().minus(WireGuardDevice.SESSION));
    }

    private static List<InetSocketAddress> places(MeshLink link, Names names) {
        return link.candidates().stream()
                .flatMap(place ->
                        names.of(place.host()).stream().map(address -> new InetSocketAddress(address, place.port())))
                .distinct()
                .toList();
    }

    /** Keeps the configured endpoint of a connected peer, even if its host name resolves to another address now. */
    private DeviceConfig settled(DeviceConfig wanted, List<MovingPeer> peers) {
        Map<PublicKey, PeerState> states = device.read().stream()
                .flatMap(state -> state.peers().stream())
                .collect(Collectors.toMap(PeerState::publicKey, Function.identity()));
        begun.keySet()
                .retainAll(peers.stream()
                        .filter(peer -> Optional.ofNullable(states.get(peer.key()))
                                .filter(state -> peer.stays(state, clock.instant()))
                                .isPresent())
                        .map(MovingPeer::key)
                        .collect(Collectors.toSet()));
        return new DeviceConfig(
                wanted.privateKey(),
                wanted.listenPort(),
                wanted.mark(),
                wanted.peers().stream()
                        .map(peer -> new PeerConfig(
                                peer.publicKey(),
                                peer.presharedKey(),
                                begun.computeIfAbsent(peer.publicKey(), _ -> peer.endpoint()),
                                peer.keepaliveSeconds(),
                                peer.allowedIps()))
                        .toList());
    }

    /** @param named whether to add the subnet, as there are several interfaces */
    String describe(boolean named) {
        String who = mesh.link()
                + mesh.subnet().filter(_ -> named).map(it -> " (" + it + ")").orElse("");
        return device.read()
                .map(state -> who + ", " + device.implementation() + ", port " + state.listenPort() + ", "
                        + "clients connected: " + connected(state) + " of "
                        + state.peers().size() + elsewhere())
                .orElse(who + ", down");
    }

    /** Returns the peers that are not connected by their first endpoint candidate. */
    private String elsewhere() {
        StringBuilder text = new StringBuilder();
        migration.ifPresent(it -> it.standings().forEach((name, standing) -> {
            if (standing.state() != Standing.State.PREFERRED) {
                text.append("; ").append(name).append(" ").append(standing.state());
                standing.endpoint().ifPresent(at -> text.append(" at ").append(Endpoint.of(at)));
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
        migration.ifPresent(Migration::close);
        migration = Optional.empty();
        begun.clear();
        device.remove();
    }
}
