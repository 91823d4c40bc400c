// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

import io.culvert.networkfile.Topology;

/** Renders a network for Graphviz. */
public final class GraphDot {

    private GraphDot() {}

    public static String of(Topology topology) {
        Graph graph = Graph.of(topology);
        StringBuilder text = new StringBuilder("digraph mesh {\n");
        text.append("  layout=")
                .append(graph.hub().isPresent() ? "twopi" : "circo")
                .append(";\n");
        text.append("  node [shape=circle, fontname=\"sans-serif\"];\n  edge [dir=none];\n");
        for (Graph.Node node : graph.nodes()) {
            text.append("  \"").append(node.name()).append('"');
            String style = (node.exit() ? ", shape=doublecircle" : "") + (node.external() ? ", style=dashed" : "");
            text.append(style.isEmpty() ? "" : " [" + style.substring(2) + "]").append(";\n");
        }
        for (Graph.Edge edge : graph.edges()) {
            text.append("  \"")
                    .append(graph.nodes().get(edge.from()).name())
                    .append("\" -> \"")
                    .append(graph.nodes().get(edge.to()).name())
                    .append("\" [color=\"")
                    .append(Palette.of(edge.subnet()))
                    .append("\", tooltip=\"")
                    .append(graph.subnets().get(edge.subnet()))
                    .append(edge.toExitNode() ? "\", dir=forward, penwidth=2];\n" : "\"];\n");
        }
        return text.append("}\n").toString();
    }
}
