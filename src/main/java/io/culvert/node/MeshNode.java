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
 * A node of a mesh on this machine, from one network file: all of it or nothing, and again whenever the file has changed. What
 * is in the kernel bears the node's name, by which {@link #down} finds it without any file.
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
     * Raises the node; where it is up already, makes it as the file says now: peers that stay keep their sessions.
     *
     * @throws ProblemException with everything that is wrong; then nothing has changed
     */
    public void up(Path file) {
        try (NetworkClaim _ = claim()) {
            NodeFile read = read(file);
            inTurn(kernel -> {
                Devices devices = devices(node);
                Places places = new Places();
                places.lookUp(read.view().interfaces())
                        .forEach(name -> journal.warn(name + " does not resolve, so it is left out"));
                List<String> done = new NodeState(read, places, devices)
                        .raise(
                                kernel,
                                change(kernel, devices),
                                now(),
                                Optional.of(journal),
                                new DirectNetworks(journal));
                journal.info(node + (done.isEmpty() ? " is up, as it was" : " is up"));
            });
        }
    }

    /**
     * Raises the node and keeps it as the file says, whatever becomes of the machine and of the file, and its peers where they
     * are best found; until SIGTERM or SIGINT, then takes it down.
     *
     * @throws ProblemException before anything was changed, or after all of it was undone
     */
    public void keep(Path file) throws InterruptedException {
        try (NetworkClaim _ = claim()) {
            new NodeWatch(around, node, file, devices(node)).run();
        }
    }

    /** Takes the node down, whatever is left of it; needs no file, and is safe to repeat. */
    public void down() {
        try (NetworkClaim _ = claim()) {
            inTurn(kernel -> {
                boolean was =
                        change(kernel, devices(node)).lower(kernel.network().observe());
                journal.info(node + (was ? " is down" : " was not up"));
            });
        }
    }

    /** How the machine differs from the file, a line each; empty when it does not. Changes nothing. */
    public List<String> diff(Path file) {
        NodeFile read = read(file);
        try (Kernel kernel = Kernel.open(around)) {
            Devices devices = devices(node);
            Places places = new Places();
            places.lookUp(read.view().interfaces());
            return new NodeState(read, places, devices).difference(kernel, change(kernel, devices), now());
        }
    }

    /** How the nodes stand that are up here, or one of them. */
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
                throw new ProblemException(Problem.failure(
                        Place.machine(wanted.get()), "is not up here", "raise it with 'culvert mesh up'"));
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

    /** Two that keep one node would put right each other's work for ever. */
    private NetworkClaim claim() {
        CRC32 sum = new CRC32();
        sum.update(node.getBytes(StandardCharsets.UTF_8));
        return NetworkClaim.take("culvert-mesh-" + Long.toHexString(sum.getValue()))
                .orElseThrow(() -> new ProblemException(Problem.failure(
                        Place.machine(node),
                        "another run keeps this node up ('culvert mesh up --watch')",
                        "it follows its file by itself; end it to do something else")));
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
