package io.culvert.mesh;

import io.culvert.migration.MovingPeer;
import io.culvert.problem.DidYouMean;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.topology.MeshInterface;
import io.culvert.topology.MeshLink;
import io.culvert.topology.NetworkFile;
import io.culvert.topology.NodeView;
import io.culvert.topology.Topology;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.Peer;
import io.culvert.wireguard.RoutingTable;
import io.culvert.wireguard.SecretKey;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a network file means for one node, its key files read.
 *
 * @param interfaces one for each of the view's, in its order, as wg-quick files would have them
 */
public record NodeFile(NodeView view, List<WireGuardConfig> interfaces) {

    public NodeFile {
        interfaces = List.copyOf(interfaces);
    }

    /**
     * Reads the file for a node.
     *
     * @param remarks takes what is worth knowing and no error
     * @throws ProblemException with everything that is wrong with the file, and with the key files of this node
     */
    public static NodeFile read(Path file, String node, List<Problem> remarks) {
        Problems problems = new Problems();
        NetworkFile.Parsed parsed = NetworkFile.read(file);
        problems.addAll(parsed.problems());
        Optional<NodeFile> read = parsed.topology().flatMap(topology -> of(topology, node, problems));
        problems.throwIfErrors();
        remarks.addAll(problems.all());
        return read.orElseThrow();
    }

    /** A link's peer, in these places. */
    public static MovingPeer moving(MeshLink link, List<InetSocketAddress> places) {
        return new MovingPeer(
                link.publicKey(),
                link.peer(),
                places,
                link.allowedIps().stream()
                        .filter(prefix -> prefix.isHost())
                        .map(prefix -> prefix.address())
                        .toList());
    }

    private static Optional<NodeFile> of(Topology topology, String node, Problems problems) {
        Optional<NodeView> view = topology.node(node);
        if (view.isEmpty()) {
            problems.add(Problem.input(
                    Place.file(topology.file()),
                    "has no peer '" + node + "'",
                    DidYouMean.nearest(node, topology.peers())
                            .map(name -> "did you mean '" + name + "'?")
                            .orElse("'culvert mesh list' shows its peers")));
            return Optional.empty();
        }
        if (view.get().external()) {
            problems.add(Problem.input(
                    Place.file(topology.file()),
                    "'" + node + "' is set up by its own means, not by Culvert",
                    "'culvert mesh render " + node + "' makes its file"));
            return Optional.empty();
        }
        Map<Path, Optional<SecretKey>> keys = new HashMap<>();
        List<WireGuardConfig> interfaces = new ArrayList<>();
        for (MeshInterface mesh : view.get().interfaces()) {
            config(topology, view.get(), mesh, keys, problems).ifPresent(interfaces::add);
        }
        return Optional.of(new NodeFile(view.get(), interfaces));
    }

    private static Optional<WireGuardConfig> config(
            Topology topology,
            NodeView view,
            MeshInterface mesh,
            Map<Path, Optional<SecretKey>> keys,
            Problems problems) {
        Optional<SecretKey> own =
                mesh.privateKeyFile().flatMap(file -> keys.computeIfAbsent(file, it -> privateKey(it, view, problems)));
        if (mesh.privateKeyFile().isEmpty()) {
            problems.add(Problem.input(
                    Place.file(topology.file()),
                    "'" + view.name() + "' has no privateKeyFile",
                    "give the peer one: culvert mesh keygen"));
        }
        List<Peer> peers = mesh.links().stream()
                .map(link -> new Peer(
                        link.publicKey(),
                        presharedKey(link, keys, problems),
                        link.allowedIps(),
                        link.endpoint(),
                        link.keepaliveSeconds()))
                .toList();
        return own.map(key -> new WireGuardConfig(
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
        if (key.isPresent() && !Keys.publicOf(key.get()).equals(view.publicKey())) {
            problems.add(Problem.input(
                    Place.file(file),
                    "its public key is " + Keys.publicOf(key.get()) + ", but the network file gives '" + view.name()
                            + "' " + view.publicKey(),
                    "correct publicKey in the network file, or name the right file"));
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
