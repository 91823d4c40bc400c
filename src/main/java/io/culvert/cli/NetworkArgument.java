// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.DidYouMean;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.networkfile.NetworkFile;
import io.culvert.networkfile.NodeView;
import io.culvert.networkfile.Topology;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The option {@code --file}, the network file of a command, and the peers in it. */
final class NetworkArgument {

    private static final String DEFAULT = "network.yaml";
    private static final String SETTING = "CULVERT_MESH_CONFIG";
    static final String DESCRIPTION = "The network file. Default: " + SETTING + ", or " + DEFAULT + ".";

    @Option(names = "--file", paramLabel = "FILE", arity = "1", description = DESCRIPTION)
    private Optional<String> file;

    /** Returns the path given on the command line, or the default. */
    static Path path(BaseCommand command, Optional<String> given) {
        return Path.of(given.orElseGet(() -> command.environment().variables().getOrDefault(SETTING, DEFAULT)));
    }

    /**
     * Reads the network file and prints warnings on standard error.
     *
     * @throws ProblemException with all errors in it
     */
    Topology read(BaseCommand command) {
        return read(command, file);
    }

    static Topology read(BaseCommand command, Optional<String> given) {
        NetworkFile.Parsed parsed = NetworkFile.read(path(command, given));
        List<Problem> problems = parsed.problems();
        Topology topology = parsed.topology().orElseThrow(() -> new ProblemException(problems));
        command.printProblems(problems);
        return topology;
    }

    /** @throws ProblemException if there is no such peer */
    static NodeView node(Topology topology, String name) {
        return topology.node(name)
                .orElseThrow(() -> new ProblemException(Problem.input(
                        Location.file(topology.file()),
                        "unknown peer '" + name + "'",
                        DidYouMean.nearest(name, topology.peers())
                                .map(meant -> "did you mean " + meant + "?")
                                .orElse("see 'culvert mesh list' for all peers"))));
    }
}
