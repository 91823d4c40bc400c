package io.culvert.cli;

import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.topology.NetworkFile;
import io.culvert.topology.NodeView;
import io.culvert.topology.Topology;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/** The commands that work on a network file, and change nothing but files they are told to write. */
final class MeshCommands {

    private static final String DEFAULT_FILE = "network.yaml";
    private static final String SETTING = "CULVERT_MESH_CONFIG";

    private MeshCommands() {}

    static CommandSpec spec() {
        return Commands.command(
                        "mesh",
                        use -> {
                            throw new ParameterException(
                                    use.given().commandSpec().commandLine(), "Say what to do: check.");
                        },
                        "Makes WireGuard meshes from one network file.")
                .addSubcommand(
                        "check",
                        Commands.command("check", MeshCommands::check, "Checks a network file. Changes nothing.")
                                .addPositional(PositionalParamSpec.builder()
                                        .paramLabel("FILE")
                                        .type(String.class)
                                        .arity("0..1")
                                        .required(false)
                                        .description("The network file; without it, what " + SETTING + " names, or "
                                                + DEFAULT_FILE + ".")
                                        .build()));
    }

    private static int check(Use use) {
        Topology topology = read(use, file(use));
        long links = 0;
        for (String peer : topology.peers()) {
            links += topology.node(peer).map(NodeView::interfaces).orElse(List.of()).stream()
                    .mapToInt(mesh -> mesh.links().size())
                    .sum();
        }
        use.print(topology.file() + ": " + topology.peers().size() + " peers, " + links / 2 + " links, no mistakes");
        return 0;
    }

    private static Path file(Use use) {
        return Path.of(use.file().orElseGet(() -> use.around().environment().getOrDefault(SETTING, DEFAULT_FILE)));
    }

    /** What is no error goes to standard error; the rest ends the command. */
    private static Topology read(Use use, Path file) {
        NetworkFile.Parsed parsed = NetworkFile.read(file);
        List<Problem> problems = parsed.problems();
        Topology topology = parsed.topology().orElseThrow(() -> new ProblemException(problems));
        PrintWriter err = use.given().commandSpec().commandLine().getErr();
        new ProblemReport(Terminal.takesColour(System.getenv())).lines(problems).forEach(err::println);
        err.flush();
        return topology;
    }
}
