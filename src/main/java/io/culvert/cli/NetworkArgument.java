package io.culvert.cli;

import io.culvert.problem.DidYouMean;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.topology.NetworkFile;
import io.culvert.topology.NodeView;
import io.culvert.topology.Topology;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The network file of a command, and the peers in it. */
final class NetworkArgument {

    static final String FILE = "--file";
    static final String DEFAULT = "network.yaml";
    static final String SETTING = "CULVERT_MESH_CONFIG";

    private NetworkArgument() {}

    /** @param given the path on the command line */
    static Path path(Use use, Optional<String> given) {
        return Path.of(given.orElseGet(() -> use.around().environment().getOrDefault(SETTING, DEFAULT)));
    }

    /**
     * Reads the network file and prints warnings on standard error.
     *
     * @throws ProblemException with all errors in it
     */
    static Topology read(Use use) {
        return read(use, path(use, Optional.ofNullable(use.given().matchedOptionValue(FILE, null))));
    }

    static Topology read(Use use, Path file) {
        NetworkFile.Parsed parsed = NetworkFile.read(file);
        List<Problem> problems = parsed.problems();
        Topology topology = parsed.topology().orElseThrow(() -> new ProblemException(problems));
        MeshCommands.tell(use, problems);
        return topology;
    }

    /** @throws ProblemException if there is no such peer */
    static NodeView node(Topology topology, String name) {
        return topology.node(name)
                .orElseThrow(() -> new ProblemException(Problem.input(
                        Place.file(topology.file()),
                        "unknown peer '" + name + "'",
                        DidYouMean.nearest(name, topology.peers())
                                .map(meant -> "did you mean " + meant + "?")
                                .orElse("see 'culvert mesh list' for all peers"))));
    }
}
