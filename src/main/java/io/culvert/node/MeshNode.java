package io.culvert.node;

import io.culvert.device.WireGuardDevices;
import io.culvert.mesh.NodeFile;
import io.culvert.network.Ownership;
import io.culvert.nft.NetworkClaim;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.run.Journal;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.run.Turn;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * A node of a mesh on this machine, configured from one network file: completely or not at all, and again whenever the
 * file changes. Its kernel objects carry the node's name, so that {@link #down} finds them without the file.
 */
public final class MeshNode {

    private final Surroundings around;
    private final Journal journal;
    private final String node;

    public MeshNode(Surroundings around, String node) {
        this.around = around;
        this.journal = around.journal();
        this.node = node;
    }

    /**
     * Brings the node up. If it is up already, applies the current file; peers that remain keep their sessions.
     *
     * @throws ProblemException with all errors, in which case nothing has changed
     */
    public void up(Path file) {
        try (NetworkClaim _ = claim()) {
            NodeFile read = read(file);
            inTurn(kernel -> {
                Devices devices = devices(node);
                Places places = new Places();
                places.lookUp(read.view().interfaces())
                        .forEach(name ->
                                journal.warn("mesh: " + name + " does not resolve, ignoring this endpoint candidate"));
                List<String> done = new NodeState(read, places, devices)
                        .raise(
                                kernel,
                                change(kernel, devices),
                                now(),
                                Optional.of(journal),
                                new DirectNetworks(journal));
                journal.info("mesh: " + node + (done.isEmpty() ? " is up (unchanged)" : " is up"));
            });
        }
    }

    /**
     * Brings the node up and manages it until SIGTERM or SIGINT, then takes it down: reverts external changes, follows
     * the file, and selects the endpoints of its peers.
     *
     * @throws ProblemException before anything was changed, or after everything was undone
     */
    public void keep(Path file) throws InterruptedException {
        try (NetworkClaim _ = claim()) {
            new NodeWatch(around, node, file, devices(node)).run();
        }
    }

    /** Takes the node down completely. Needs no file; idempotent. */
    public void down() {
        try (NetworkClaim _ = claim()) {
            inTurn(kernel -> {
                boolean was =
                        change(kernel, devices(node)).lower(kernel.network().observe());
                journal.info("mesh: " + node + (was ? " is down" : " was not up"));
            });
        }
    }

    /** Returns the differences between the machine and the file, one per line; changes nothing. */
    public List<String> diff(Path file) {
        NodeFile read = read(file);
        try (Kernel kernel = Kernel.open(around)) {
            Devices devices = devices(node);
            Places places = new Places();
            places.lookUp(read.view().interfaces());
            return new NodeState(read, places, devices).difference(kernel, change(kernel, devices), now());
        }
    }

    /** Returns the status of one node, or of all nodes, that are up on this machine. */
    public static String status(Surroundings around, Optional<String> wanted, boolean json) {
        try (Kernel kernel = Kernel.open(around)) {
            Map<String, List<String>> nodes = new TreeMap<>();
            kernel.network()
                    .observe()
                    .links()
                    .forEach(link -> Ownership.node(link.alias())
                            .filter(node -> wanted.isEmpty() || wanted.get().equals(node))
                            .ifPresent(node -> nodes.computeIfAbsent(node, _ -> new ArrayList<>())
                                    .add(link.name())));
            if (wanted.isPresent() && nodes.isEmpty()) {
                throw new ProblemException(
                        Problem.failure(Place.machine(wanted.get()), "is not up", "start it with 'culvert mesh up'"));
            }
            NodeStatus status = NodeStatus.of(around, nodes, MeshNode::devices);
            return json ? status.json().toString() : status.text();
        }
    }

    private NodeFile read(Path file) {
        List<Problem> remarks = new ArrayList<>();
        NodeFile read = NodeFile.read(file, node, remarks);
        journal.problems(remarks);
        return read;
    }

    private Instant now() {
        return around.clock().instant();
    }

    private NodeChange change(Kernel kernel, Devices devices) {
        return NodeState.change(kernel, around, node, devices);
    }

    private static Devices devices(String node) {
        return new Devices(WireGuardDevices.usual(Ownership.ofNode(node)));
    }

    /** Ensures that one process manages a node, as two would keep reverting each other's changes. */
    private NetworkClaim claim() {
        CRC32 sum = new CRC32();
        sum.update(node.getBytes(StandardCharsets.UTF_8));
        return NetworkClaim.take("culvert-mesh-" + Long.toHexString(sum.getValue()))
                .orElseThrow(() -> new ProblemException(Problem.failure(
                        Place.machine(node),
                        "another process manages this node ('culvert mesh up --watch')",
                        "edit the network file, which that process follows, or stop that process")));
    }

    private interface Change {
        void with(Kernel kernel);
    }

    private void inTurn(Change change) {
        Turn.take(around, () -> {
            try (Kernel kernel = Kernel.open(around)) {
                change.with(kernel);
            }
        });
    }
}
