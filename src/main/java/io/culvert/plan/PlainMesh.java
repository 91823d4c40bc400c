package io.culvert.plan;

import io.culvert.ip.Endpoint;
import io.culvert.topology.MeshInterface;
import io.culvert.topology.MeshLink;
import io.culvert.wireguard.Peer;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A mesh interface that is plain WireGuard: that of a wg-quick file, or the node's interface in one subnet of a network file.
 *
 * @param link its name here, {@code mesh0}, {@code mesh1} and so on
 * @param file its configuration; the name in it is not used
 * @param subnet name of the subnet in the network file; empty for a wg-quick file
 * @param peers links to its peers in the network file; none for a wg-quick file
 */
public record PlainMesh(String link, WireGuardConfig file, Optional<String> subnet, List<MeshLink> peers) {

    public PlainMesh {
        peers = List.copyOf(peers);
    }

    /** Returns the mesh interface of a wg-quick file. */
    public static PlainMesh of(WireGuardConfig file) {
        return new PlainMesh(name(0), file, Optional.empty(), List.of());
    }

    /**
     * Returns the mesh interface of a subnet.
     *
     * @param number index of the subnet among the node's subnets, in the network file's order, from 0
     * @param file the interface's configuration, including keys
     */
    public static PlainMesh of(int number, MeshInterface subnet, WireGuardConfig file) {
        return new PlainMesh(name(number), file, Optional.of(subnet.subnet()), subnet.links());
    }

    private static String name(int number) {
        return "mesh" + number;
    }

    /** Returns the configuration with a resolved endpoint for each peer that has several endpoint candidates. */
    WireGuardConfig file(Names names, Predicate<InetAddress> reaches) {
        Map<PublicKey, MeshLink> links = peers.stream().collect(Collectors.toMap(MeshLink::publicKey, link -> link));
        return file.with(file.peers().stream()
                .map(peer -> Optional.ofNullable(links.get(peer.publicKey()))
                        .flatMap(link -> link.endpoint(
                                place -> names.reachable(place, reaches).isPresent()))
                        .map(place -> peer.at(Optional.of(place)))
                        .orElse(peer))
                .toList());
    }

    /** Returns all endpoint candidates of the peers. */
    Stream<Endpoint> endpoints() {
        return Stream.concat(
                file.peers().stream().map(Peer::endpoint).flatMap(Optional::stream),
                peers.stream().flatMap(peer -> peer.candidates().stream()));
    }
}
