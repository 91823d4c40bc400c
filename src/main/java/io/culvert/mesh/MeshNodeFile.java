// SPDX-License-Identifier: Apache-2.0
package io.culvert.mesh;

import io.culvert.diagnostics.DidYouMean;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.Problems;
import io.culvert.networkfile.MeshLink;
import io.culvert.networkfile.NetworkFile;
import io.culvert.networkfile.NodeInterface;
import io.culvert.networkfile.NodeView;
import io.culvert.networkfile.Topology;
import io.culvert.plan.ResolvedNames;
import io.culvert.roaming.RoamingPeer;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.Peer;
import io.culvert.wireguard.config.RoutingTable;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.config.WireGuardConfig;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The part of a network file that concerns one node, with its keys.
 *
 * @param interfaces the view's interfaces, in its order, as WireGuard configurations
 */
public record MeshNodeFile(NodeView view, List<WireGuardConfig> interfaces) {

    public MeshNodeFile {
        interfaces = List.copyOf(interfaces);
    }

    /**
     * Reads a network file for one node.
     *
     * @param remarks receives notes and warnings
     * @throws ProblemException with all errors in the file and in the key files of this node
     */
    public static MeshNodeFile read(Path file, String node, List<Problem> remarks) {
        Problems problems = new Problems();
        NetworkFile.Parsed parsed = NetworkFile.read(file);
        problems.addAll(parsed.problems());
        Optional<MeshNodeFile> read = parsed.topology().flatMap(topology -> of(topology, node, problems));
        problems.throwIfErrors();
        remarks.addAll(problems.all());
        return read.orElseThrow();
    }

    /** Returns the key files that a network file names for a node; empty if the file is not valid. */
    public static List<Path> keyFiles(Path file, String node) {
        return NetworkFile.read(file).topology().flatMap(topology -> topology.node(node)).stream()
                .flatMap(view -> view.interfaces().stream())
                .flatMap(mesh -> Stream.concat(
                        mesh.privateKeyFile().stream(),
                        mesh.links().stream().flatMap(link -> link.presharedKeyFile().stream())))
                .distinct()
                .toList();
    }

    /** Returns the peer of a link for endpoint selection, without candidates whose names do not resolve. */
    public static RoamingPeer roamingPeer(MeshLink link, ResolvedNames names) {
        return new RoamingPeer(
                link.publicKey(),
                link.peer(),
                link.candidates().stream()
                        .flatMap(candidate -> names.of(candidate.host()).stream()
                                .map(address -> new InetSocketAddress(address, candidate.port())))
                        .distinct()
                        .toList(),
                link.allowedIps().stream()
                        .filter(prefix -> prefix.isHost())
                        .map(prefix -> prefix.address())
                        .toList());
    }

    private static Optional<MeshNodeFile> of(Topology topology, String node, Problems problems) {
        Optional<NodeView> view = topology.node(node);
        if (view.isEmpty()) {
            problems.add(Problem.input(
                    Location.file(topology.file()),
                    "peer '" + node + "' not found",
                    DidYouMean.nearest(node, topology.peers())
                            .map(name -> "did you mean '" + name + "'?")
                            .orElse("list the peers: culvert mesh list")));
            return Optional.empty();
        }
        if (view.get().external()) {
            problems.add(Problem.input(
                    Location.file(topology.file()),
                    "'" + node + "' is an external peer, which Culvert does not configure",
                    "generate its configuration: culvert mesh render " + node));
            return Optional.empty();
        }
        Map<Path, Optional<SecretKey>> keys = new HashMap<>();
        List<WireGuardConfig> interfaces = new ArrayList<>();
        for (NodeInterface mesh : view.get().interfaces()) {
            config(topology, view.get(), mesh, keys, problems).ifPresent(interfaces::add);
        }
        return Optional.of(new MeshNodeFile(view.get(), interfaces));
    }

    private static Optional<WireGuardConfig> config(
            Topology topology,
            NodeView view,
            NodeInterface mesh,
            Map<Path, Optional<SecretKey>> keys,
            Problems problems) {
        Optional<SecretKey> configuredKey =
                mesh.privateKeyFile().flatMap(file -> keys.computeIfAbsent(file, it -> privateKey(it, view, problems)));
        if (mesh.privateKeyFile().isEmpty()) {
            problems.add(Problem.input(
                    Location.file(topology.file()),
                    "'" + view.name() + "' has no privateKeyFile",
                    "generate one: culvert mesh keygen"));
        }
        List<Peer> peers = mesh.links().stream()
                .map(link -> new Peer(
                        link.publicKey(),
                        presharedKey(link, keys, problems),
                        link.allowedIps(),
                        link.endpoint(),
                        link.keepaliveSeconds()))
                .toList();
        return configuredKey.map(key -> new WireGuardConfig(
                mesh.device(),
                key,
                mesh.addresses(),
                List.of(),
                List.of(),
                mesh.listenPort(),
                OptionalLong.empty(),
                OptionalInt.empty(),
                new RoutingTable.Auto(),
                false,
                List.of(),
                peers));
    }

    private static Optional<SecretKey> privateKey(Path file, NodeView view, Problems problems) {
        Optional<SecretKey> key = KeyFile.read(file, "the private key of '" + view.name() + "'", problems);
        if (key.isPresent() && !KeyGenerator.publicOf(key.get()).equals(view.publicKey())) {
            problems.add(Problem.input(
                    Location.file(file),
                    "its public key is " + KeyGenerator.publicOf(key.get()) + ", but the network file has for '"
                            + view.name() + "' the key " + view.publicKey(),
                    "correct publicKey or privateKeyFile in the network file"));
        }
        return key;
    }

    private static Optional<SecretKey> presharedKey(
            MeshLink link, Map<Path, Optional<SecretKey>> keys, Problems problems) {
        return link.presharedKeyFile()
                .flatMap(file -> keys.computeIfAbsent(
                        file, it -> KeyFile.read(it, "the preshared key for '" + link.peer() + "'", problems)));
    }
}
