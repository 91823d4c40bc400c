package io.culvert.cli;

import io.culvert.problem.Count;
import io.culvert.topology.NetworkSchema;
import io.culvert.topology.NodeView;
import io.culvert.topology.Topology;
import io.culvert.topology.render.GraphDot;
import io.culvert.topology.render.GraphSvg;
import java.util.List;

/** The commands that show the content of a network file. */
final class MeshQuestions {

    static final String TREE = "--tree";

    private MeshQuestions() {}

    static int check(Use use) {
        Topology topology = NetworkArgument.read(use, NetworkArgument.path(use, use.file()));
        long ends = 0;
        for (String peer : topology.peers()) {
            ends += topology.node(peer).map(NodeView::interfaces).orElse(List.of()).stream()
                    .mapToLong(mesh -> mesh.links().size())
                    .sum();
        }
        use.print(topology.file() + ": " + Count.of(topology.peers().size(), "peer") + ", " + Count.of(ends / 2, "link")
                + ", no errors");
        return 0;
    }

    static int list(Use use) {
        Topology topology = NetworkArgument.read(use);
        use.print((use.has(TREE) ? topology.tree() : topology.list()).stripTrailing());
        return 0;
    }

    /** Explains the link between two peers; returns 1 if they are not linked. */
    static int explain(Use use) {
        Topology topology = NetworkArgument.read(use);
        String from = NetworkArgument.node(topology, use.argument(0)).name();
        String to = NetworkArgument.node(topology, use.argument(1)).name();
        use.print(topology.explain(from, to).stripTrailing());
        return topology.linked(from, to) ? 0 : 1;
    }

    static int schema(Use use) {
        use.print(NetworkSchema.text().stripTrailing());
        return 0;
    }

    static int graph(Use use) {
        Topology topology = NetworkArgument.read(use);
        String drawn = switch (MeshFiles.format(use, "svg", "dot")) {
            case "svg" -> GraphSvg.of(topology);
            default -> GraphDot.of(topology);
        };
        use.print(drawn.stripTrailing());
        return 0;
    }
}
