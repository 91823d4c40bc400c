// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

import io.culvert.net.Prefix;
import io.culvert.networkfile.Forward.Direction;
import io.culvert.networkfile.MeshLink;
import io.culvert.networkfile.NodeInterface;
import io.culvert.networkfile.NodeView;
import io.culvert.networkfile.Topology;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The links between peers, for drawing.
 *
 * @param nodes sorted by name
 * @param edges each link once
 */
record Graph(List<Node> nodes, List<String> subnets, List<Edge> edges) {

    /**
     * A peer.
     *
     * @param exit whether other peers use it as their exit node
     */
    record Node(String name, boolean exit, boolean external) {}

    /**
     * A link.
     *
     * @param from the index of a node
     * @param toExitNode whether {@code from} uses {@code to} as its exit node
     */
    record Edge(int from, int to, int subnet, boolean toExitNode) {}

    static Graph of(Topology topology) {
        List<String> names = topology.peers();
        Map<String, Integer> numbers = new LinkedHashMap<>();
        names.forEach(name -> numbers.put(name, numbers.size()));
        Map<String, Integer> subnets = new LinkedHashMap<>();
        List<Node> nodes = new ArrayList<>();
        List<Edge> edges = new ArrayList<>();
        List<Edge> arrows = new ArrayList<>();
        for (String name : names) {
            NodeView view = topology.node(name).orElseThrow();
            nodes.add(new Node(
                    name, view.forwards().stream().anyMatch(it -> it.direction() == Direction.EXIT), view.external()));
            int from = nodes.size() - 1;
            for (NodeInterface mesh : view.interfaces()) {
                int subnet = subnets.computeIfAbsent(mesh.subnet(), _ -> subnets.size());
                for (MeshLink link : mesh.links()) {
                    int to = numbers.getOrDefault(link.peer(), from);
                    if (link.allowedIps().stream().anyMatch(Prefix::isDefault)) {
                        arrows.add(new Edge(from, to, subnet, true));
                    } else if (from < to) {
                        edges.add(new Edge(from, to, subnet, false));
                    }
                }
            }
        }
        // Where one end uses the other as its exit node, the arrow replaces the link.
        Set<Edge> covered = new HashSet<>();
        arrows.forEach(arrow -> covered.add(
                new Edge(Math.min(arrow.from, arrow.to), Math.max(arrow.from, arrow.to), arrow.subnet, false)));
        edges.removeIf(covered::contains);
        edges.addAll(arrows);
        return new Graph(nodes, List.copyOf(subnets.keySet()), edges);
    }

    /** Returns the hub, if there is one: a node that is linked with all others, while those have few links. */
    OptionalInt hub() {
        int[] links = new int[nodes.size()];
        for (Edge edge : edges) {
            links[edge.from]++;
            links[edge.to]++;
        }
        OptionalInt most =
                IntStream.range(0, links.length).reduce((one, other) -> links[other] > links[one] ? other : one);
        return nodes.size() > 3
                        && most.isPresent()
                        && links[most.getAsInt()] >= nodes.size() - 1
                        && edges.size() < nodes.size() + nodes.size() / 2
                ? most
                : OptionalInt.empty();
    }
}
