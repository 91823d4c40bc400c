package io.culvert.cli;

import io.culvert.node.MeshNode;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The commands that make a network file true on this machine. */
final class NodeCommands {

    private static final String WATCH = "--watch";
    private static final String FILE = "--file";
    private static final String SETTING = "CULVERT_MESH_CONFIG";

    private NodeCommands() {}

    /** Adds them to {@code mesh}. */
    static CommandSpec addTo(CommandSpec mesh) {
        return mesh.addSubcommand(
                        "up",
                        Commands.command(
                                        "up",
                                        NodeCommands::up,
                                        "Makes this machine a node of the mesh, all of it or nothing; again after the file has changed.")
                                .addOption(
                                        Commands.flag(
                                                WATCH,
                                                "Stay: put right what changes, follow the file, and move peers to where they are best found, until SIGTERM; then take the node down."))
                                .addOption(file())
                                .addPositional(node(true)))
                .addSubcommand(
                        "down",
                        Commands.command(
                                        "down",
                                        NodeCommands::down,
                                        "Takes the node down; nothing is left. Needs no file.")
                                .addPositional(node(true)))
                .addSubcommand(
                        "diff",
                        Commands.exits(
                                Commands.command(
                                                "diff",
                                                NodeCommands::diff,
                                                "Shows what 'up' would change, in the syntax of ip and wg. Changes nothing.")
                                        .addOption(file())
                                        .addPositional(node(true)),
                                "0 no difference, 1 some, or it failed, 2 the file is wrong."))
                .addSubcommand(
                        "status",
                        Commands.command(
                                        "status",
                                        NodeCommands::status,
                                        "Shows the nodes that are up here, and where their peers are found.")
                                .addOption(Commands.json())
                                .addPositional(node(false)));
    }

    private static int up(Use use) throws InterruptedException {
        MeshNode node = new MeshNode(use.around(), name(use));
        if (use.has(WATCH)) {
            node.keep(file(use));
        } else {
            node.up(file(use));
        }
        return 0;
    }

    private static int down(Use use) {
        new MeshNode(use.around(), name(use)).down();
        return 0;
    }

    private static int diff(Use use) {
        List<String> lines = new MeshNode(use.around(), name(use)).diff(file(use));
        lines.forEach(use::print);
        return lines.isEmpty() ? 0 : 1;
    }

    private static int status(Use use) {
        use.print(MeshNode.status(use.around(), use.file(), use.has(Use.JSON)));
        return 0;
    }

    private static String name(Use use) {
        return use.file().orElseThrow();
    }

    private static Path file(Use use) {
        String given = use.given().matchedOptionValue(FILE, null);
        return Path.of(given != null ? given : use.around().environment().getOrDefault(SETTING, "network.yaml"));
    }

    private static OptionSpec file() {
        return OptionSpec.builder("-f", FILE)
                .paramLabel("FILE")
                .type(String.class)
                .description("The network file; without it, what " + SETTING + " names, or network.yaml.")
                .build();
    }

    private static PositionalParamSpec node(boolean required) {
        return PositionalParamSpec.builder()
                .paramLabel("NODE")
                .type(String.class)
                .required(required)
                .arity(required ? "1" : "0..1")
                .description("The name of a peer in the network file." + (required ? "" : " Without it: all of them."))
                .build();
    }
}
