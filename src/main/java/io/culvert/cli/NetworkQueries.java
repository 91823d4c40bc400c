// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.Counted;
import io.culvert.networkfile.NetworkSchema;
import io.culvert.networkfile.NodeView;
import io.culvert.networkfile.Topology;
import io.culvert.networkfile.render.GraphDot;
import io.culvert.networkfile.render.GraphSvg;
import java.util.List;

/** The commands that show the content of a network file. */
final class NetworkQueries {

    static final String TREE = "--tree";

    private NetworkQueries() {}

    static int check(Invocation invocation) {
        Topology topology =
                NetworkArgument.read(invocation, NetworkArgument.path(invocation, invocation.firstArgument()));
        long linkEnds = 0;
        for (String peer : topology.peers()) {
            linkEnds += topology.node(peer).map(NodeView::interfaces).orElse(List.of()).stream()
                    .mapToLong(mesh -> mesh.links().size())
                    .sum();
        }
        invocation.print(topology.file() + ": " + Counted.of(topology.peers().size(), "peer") + ", "
                + Counted.of(linkEnds / 2, "link") + ", no errors");
        return 0;
    }

    static int list(Invocation invocation) {
        Topology topology = NetworkArgument.read(invocation);
        invocation.print((invocation.has(TREE) ? topology.tree() : topology.list()).stripTrailing());
        return 0;
    }

    /** Explains the link between two peers; returns 1 if they are not linked. */
    static int explain(Invocation invocation) {
        Topology topology = NetworkArgument.read(invocation);
        String from = NetworkArgument.node(topology, invocation.argument(0)).name();
        String to = NetworkArgument.node(topology, invocation.argument(1)).name();
        invocation.print(topology.explain(from, to).stripTrailing());
        return topology.linked(from, to) ? 0 : 1;
    }

    static int schema(Invocation invocation) {
        invocation.print(NetworkSchema.text().stripTrailing());
        return 0;
    }

    static int graph(Invocation invocation) {
        Topology topology = NetworkArgument.read(invocation);
        String image = switch (MeshFiles.format(invocation, "svg", "dot")) {
            case "svg" -> GraphSvg.of(topology);
            default -> GraphDot.of(topology);
        };
        invocation.print(image.stripTrailing());
        return 0;
    }
}
