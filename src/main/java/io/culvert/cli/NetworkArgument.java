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
import picocli.CommandLine.Model.OptionSpec;

/** The network file of a command, and the peers in it. */
final class NetworkArgument {

    static final String FILE = "--file";
    private static final String DEFAULT = "network.yaml";
    private static final String SETTING = "CULVERT_MESH_CONFIG";
    static final String DESCRIPTION = "The network file. Default: " + SETTING + ", or " + DEFAULT + ".";

    private NetworkArgument() {}

    /** Returns the option that names the file. */
    static OptionSpec option(String... names) {
        return OptionSpec.builder(names)
                .paramLabel("FILE")
                .type(String.class)
                .arity("1")
                .description(DESCRIPTION)
                .build();
    }

    /** Returns the path that the option names, or the default. */
    static Path path(Invocation invocation) {
        return path(invocation, Optional.ofNullable(invocation.parsed().matchedOptionValue(FILE, null)));
    }

    /** @param option the path on the command line */
    static Path path(Invocation invocation, Optional<String> option) {
        return Path.of(
                option.orElseGet(() -> invocation.environment().variables().getOrDefault(SETTING, DEFAULT)));
    }

    /**
     * Reads the network file and prints warnings on standard error.
     *
     * @throws ProblemException with all errors in it
     */
    static Topology read(Invocation invocation) {
        return read(invocation, path(invocation));
    }

    static Topology read(Invocation invocation, Path file) {
        NetworkFile.Parsed parsed = NetworkFile.read(file);
        List<Problem> problems = parsed.problems();
        Topology topology = parsed.topology().orElseThrow(() -> new ProblemException(problems));
        MeshCommands.printProblems(invocation, problems);
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
