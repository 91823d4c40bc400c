// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.net.Endpoint;
import io.culvert.networkfile.MeshLink;
import io.culvert.networkfile.NodeInterface;
import io.culvert.wireguard.config.Peer;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.WireGuardConfig;
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
public record WireGuardMeshInterface(String link, WireGuardConfig file, Optional<String> subnet, List<MeshLink> peers) {

    public WireGuardMeshInterface {
        peers = List.copyOf(peers);
    }

    /** Returns the mesh interface of a wg-quick file. */
    public static WireGuardMeshInterface of(WireGuardConfig file) {
        return new WireGuardMeshInterface(name(0), file, Optional.empty(), List.of());
    }

    /**
     * Returns the mesh interface of a subnet.
     *
     * @param number index of the subnet among the node's subnets, in the network file's order, from 0
     * @param file the interface's configuration, including keys
     */
    public static WireGuardMeshInterface of(int number, NodeInterface subnet, WireGuardConfig file) {
        return new WireGuardMeshInterface(name(number), file, Optional.of(subnet.subnet()), subnet.links());
    }

    private static String name(int number) {
        return "mesh" + number;
    }

    /** Returns the configuration with a resolved endpoint for each peer that has several endpoint candidates. */
    WireGuardConfig file(ResolvedNames names, Predicate<InetAddress> reaches) {
        Map<PublicKey, MeshLink> links = peers.stream().collect(Collectors.toMap(MeshLink::publicKey, link -> link));
        return file.withPeers(file.peers().stream()
                .map(peer -> Optional.ofNullable(links.get(peer.publicKey()))
                        .flatMap(link -> link.endpoint(
                                location -> names.reachable(location, reaches).isPresent()))
                        .map(location -> peer.withEndpoint(Optional.of(location)))
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
