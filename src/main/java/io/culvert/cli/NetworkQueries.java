// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.Counted;
import io.culvert.networkfile.NetworkSchema;
import io.culvert.networkfile.NodeView;
import io.culvert.networkfile.Topology;
import io.culvert.networkfile.render.GraphDot;
import io.culvert.networkfile.render.GraphSvg;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands that show the content of a network file. */
final class NetworkQueries {

    private NetworkQueries() {}

    @Command(description = "Checks a network file. Changes nothing.")
    static final class Check extends BaseCommand {
        @Parameters(index = "0", paramLabel = "FILE", arity = "0..1", description = NetworkArgument.DESCRIPTION)
        private Optional<String> file;

        @Override
        public Integer call() {
            Topology topology = NetworkArgument.read(this, file);
            long linkEnds = 0;
            for (String peer : topology.peers()) {
                linkEnds += topology.node(peer).map(NodeView::interfaces).orElse(List.of()).stream()
                        .mapToLong(mesh -> mesh.links().size())
                        .sum();
            }
            print(topology.file() + ": " + Counted.of(topology.peers().size(), "peer") + ", "
                    + Counted.of(linkEnds / 2, "link") + ", no errors");
            return 0;
        }
    }

    @Command(description = "Lists all peers with their addresses and endpoints.")
    static final class ListPeers extends BaseCommand {
        @Option(names = "--tree", description = "Group the peers by subnet and group.")
        private boolean tree;

        @Mixin
        private NetworkArgument network;

        @Override
        public Integer call() {
            Topology topology = network.read(this);
            print((tree ? topology.tree() : topology.list()).stripTrailing());
            return 0;
        }
    }

    /** Explains the link between two peers; returns 1 if they are not linked. */
    @Command(description = "Shows which line of the file sets each value of PEER's configuration for OTHER.")
    static final class Explain extends BaseCommand {
        @Parameters(
                index = "0",
                paramLabel = "PEER",
                arity = "1",
                description = "The peer whose configuration is explained.")
        private String peer;

        @Parameters(index = "1", paramLabel = "OTHER", arity = "1", description = "The peer that it is linked with.")
        private String other;

        @Mixin
        private NetworkArgument network;

        @Override
        public Integer call() {
            Topology topology = network.read(this);
            String from = NetworkArgument.node(topology, peer).name();
            String to = NetworkArgument.node(topology, other).name();
            print(topology.explain(from, to).stripTrailing());
            return topology.linked(from, to) ? 0 : 1;
        }
    }

    @Command(description = "Prints the JSON Schema of network files, for editors.")
    static final class Schema extends BaseCommand {
        @Override
        public Integer call() {
            print(NetworkSchema.text().stripTrailing());
            return 0;
        }
    }

    @Command(description = "Draws the links between the peers.")
    static final class Graph extends BaseCommand {
        @Option(
                names = "--format",
                paramLabel = "FORMAT",
                arity = "1",
                description = "svg (default) or dot, for Graphviz.")
        private Optional<String> format;

        @Mixin
        private NetworkArgument network;

        @Override
        public Integer call() {
            Topology topology = network.read(this);
            String image = switch (MeshFiles.format(this, format, "svg", "dot")) {
                case "svg" -> GraphSvg.of(topology);
                default -> GraphDot.of(topology);
            };
            print(image.stripTrailing());
            return 0;
        }
    }
}
