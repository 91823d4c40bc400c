// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.mesh.MeshNodeFile;
import io.culvert.nft.NetworkNamespaceLock;
import io.culvert.requirements.ResolverWait;
import io.culvert.rtnl.Ownership;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.runtime.MachineLock;
import io.culvert.wireguard.device.WireGuardDevices;
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

    private final Environment environment;
    private final Log log;
    private final String node;

    public MeshNode(Environment environment, String node) {
        this.environment = environment;
        this.log = environment.log();
        this.node = node;
    }

    /**
     * Brings the node up. If it is up already, applies the current file; peers that remain keep their sessions. While
     * the machine's resolver does not respond, it waits, without the lock.
     *
     * @throws ProblemException with all errors, in which case nothing has changed
     */
    public void up(Path file) {
        try (NetworkNamespaceLock _ = lockNetworkNamespace()) {
            MeshNodeFile networkFile = read(file);
            NodeDevices devices = devices(node);
            try (EndpointResolver resolver = new EndpointResolver(() -> {})) {
                resolver.resolve(networkFile.view().interfaces(), new ResolverWait(log, () -> {}))
                        .forEach(name ->
                                log.warn("mesh: " + name + " does not resolve, ignoring this endpoint candidate"));
                withLock(kernel -> {
                    List<String> changes = new DesiredNode(networkFile, resolver, devices)
                            .apply(kernel, change(kernel, devices), now(), Optional.of(log), new DirectNetworks(log));
                    log.info("mesh: " + node + (changes.isEmpty() ? " is up (unchanged)" : " is up"));
                });
            }
        }
    }

    /**
     * Brings the node up and manages it until SIGTERM or SIGINT, then takes it down: reverts external changes, follows
     * the file, and selects the endpoints of its peers.
     *
     * @throws ProblemException before anything was changed, or after everything was undone
     */
    public void manage(Path file) throws InterruptedException {
        try (NetworkNamespaceLock _ = lockNetworkNamespace()) {
            NodeWatch.run(environment, node, file, devices(node));
        }
    }

    /** Takes the node down completely. Needs no file; idempotent. */
    public void down() {
        try (NetworkNamespaceLock _ = lockNetworkNamespace()) {
            withLock(kernel -> {
                boolean existed =
                        change(kernel, devices(node)).remove(kernel.network().observe());
                log.info("mesh: " + node + (existed ? " is down" : " was not up"));
            });
        }
    }

    /** Returns the differences between the machine and the file, one per line; changes nothing. */
    public List<String> diff(Path file) {
        MeshNodeFile networkFile = read(file);
        try (KernelConnections kernel = KernelConnections.open(environment);
                EndpointResolver resolver = new EndpointResolver(() -> {})) {
            NodeDevices devices = devices(node);
            resolver.resolve(networkFile.view().interfaces());
            return new DesiredNode(networkFile, resolver, devices).differences(kernel, change(kernel, devices), now());
        }
    }

    /** Returns the status of one node, or of all nodes, that are up on this machine. */
    public static String status(Environment environment, Optional<String> requestedNode, boolean json) {
        try (KernelConnections kernel = KernelConnections.open(environment)) {
            Map<String, List<String>> nodes = new TreeMap<>();
            kernel.network()
                    .observe()
                    .links()
                    .forEach(link -> Ownership.node(link.alias())
                            .filter(node -> requestedNode.isEmpty()
                                    || requestedNode.get().equals(node))
                            .ifPresent(node -> nodes.computeIfAbsent(node, _ -> new ArrayList<>())
                                    .add(link.name())));
            if (requestedNode.isPresent() && nodes.isEmpty()) {
                throw new ProblemException(Problem.failure(
                        Location.machine(requestedNode.get()), "is not up", "start it with 'culvert mesh up'"));
            }
            MeshNodeStatus status = MeshNodeStatus.read(environment, nodes, MeshNode::devices);
            return json ? status.json().toString() : status.text();
        }
    }

    private MeshNodeFile read(Path file) {
        List<Problem> warnings = new ArrayList<>();
        MeshNodeFile networkFile = MeshNodeFile.read(file, node, warnings);
        log.problems(warnings);
        return networkFile;
    }

    private Instant now() {
        return environment.clock().instant();
    }

    private NodeConfigurator change(KernelConnections kernel, NodeDevices devices) {
        return DesiredNode.change(kernel, environment, node, devices);
    }

    private static NodeDevices devices(String node) {
        return new NodeDevices(WireGuardDevices.withDefaults(Ownership.ofNode(node)));
    }

    /** Ensures that one process manages a node, as two would keep reverting each other's changes. */
    private NetworkNamespaceLock lockNetworkNamespace() {
        CRC32 sum = new CRC32();
        sum.update(node.getBytes(StandardCharsets.UTF_8));
        return NetworkNamespaceLock.take("culvert-mesh-" + Long.toHexString(sum.getValue()))
                .orElseThrow(() -> new ProblemException(Problem.failure(
                        Location.machine(node),
                        "another process manages this node ('culvert mesh up --watch')",
                        "edit the network file, which that process follows, or stop that process")));
    }

    private interface LockedAction {
        void apply(KernelConnections kernel);
    }

    private void withLock(LockedAction action) {
        MachineLock.runLocked(environment, () -> {
            try (KernelConnections kernel = KernelConnections.open(environment)) {
                action.apply(kernel);
            }
        });
    }
}
