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
 * An interface of a mesh side that is plain WireGuard: that of a wg-quick file, or the node's in one subnet of a network file.
 *
 * @param link its name here, {@code mesh0}, {@code mesh1} and so on
 * @param file its configuration; the name in it is not used
 * @param subnet of the network file
 * @param peers what the network file says of them; none where it is of a wg-quick file
 */
public record PlainMesh(String link, WireGuardConfig file, Optional<String> subnet, List<MeshLink> peers) {

    public PlainMesh {
        peers = List.copyOf(peers);
    }

    /** Of a wg-quick file. */
    public static PlainMesh of(WireGuardConfig file) {
        return new PlainMesh(name(0), file, Optional.empty(), List.of());
    }

    /**
     * Of a subnet.
     *
     * @param number of the node's subnets, in the network file's order, from 0
     * @param file what the subnet comes to, keys read
     */
    public static PlainMesh of(int number, MeshInterface subnet, WireGuardConfig file) {
        return new PlainMesh(name(number), file, Optional.of(subnet.subnet()), subnet.links());
    }

    private static String name(int number) {
        return "mesh" + number;
    }

    /** The configuration by what names stand for now: who has several places is called at one that is known. */
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

    /** Wherever a peer may be found. */
    Stream<Endpoint> endpoints() {
        return Stream.concat(
                file.peers().stream().map(Peer::endpoint).flatMap(Optional::stream),
                peers.stream().flatMap(peer -> peer.candidates().stream()));
    }
}
