// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.meshnode.MeshNode;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The commands that configure this machine as a node of a network file. */
final class NodeCommands {

    private static final String WATCH = "--watch";

    private NodeCommands() {}

    /** Adds the commands to {@code mesh}. */
    static CommandSpec addTo(CommandSpec mesh) {
        return mesh.addSubcommand(
                        "up",
                        Commands.command(
                                        "up",
                                        NodeCommands::up,
                                        "Configures this machine as a node of the mesh. If a step fails, nothing is"
                                                + " changed. Run it again after the file has changed.")
                                .addOption(Commands.flag(
                                        WATCH,
                                        "Keep running until SIGTERM: revert external changes, apply changes"
                                                + " of the file, and select the best endpoint of each peer."
                                                + " Then"
                                                + " take the node down."))
                                .addOption(file())
                                .addPositional(node(true)))
                .addSubcommand(
                        "down",
                        Commands.command(
                                        "down",
                                        NodeCommands::down,
                                        "Removes a node and everything that 'up' configured. Needs no file.")
                                .addPositional(node(true)))
                .addSubcommand(
                        "diff",
                        Commands.withExitStatus(
                                Commands.command(
                                                "diff",
                                                NodeCommands::diff,
                                                "Shows what 'up' would change, in the syntax of ip and wg. Changes"
                                                        + " nothing.")
                                        .addOption(file())
                                        .addPositional(node(true)),
                                "0 no differences, 1 differences, or failed, 2 invalid file."))
                .addSubcommand(
                        "status",
                        Commands.command(
                                        "status",
                                        NodeCommands::status,
                                        "Shows the nodes on this machine and the endpoints of their peers.")
                                .addOption(Commands.json())
                                .addPositional(node(false)));
    }

    private static int up(Invocation invocation) throws InterruptedException {
        MeshNode node = new MeshNode(invocation.environment(), name(invocation));
        if (invocation.has(WATCH)) {
            node.manage(NetworkArgument.path(invocation));
        } else {
            node.up(NetworkArgument.path(invocation));
        }
        return 0;
    }

    private static int down(Invocation invocation) {
        new MeshNode(invocation.environment(), name(invocation)).down();
        return 0;
    }

    private static int diff(Invocation invocation) {
        List<String> lines =
                new MeshNode(invocation.environment(), name(invocation)).diff(NetworkArgument.path(invocation));
        lines.forEach(invocation::print);
        return lines.isEmpty() ? 0 : 1;
    }

    private static int status(Invocation invocation) {
        invocation.print(
                MeshNode.status(invocation.environment(), invocation.firstArgument(), invocation.has(Invocation.JSON)));
        return 0;
    }

    private static String name(Invocation invocation) {
        return invocation.firstArgument().orElseThrow();
    }

    private static OptionSpec file() {
        return NetworkArgument.option("-f", NetworkArgument.FILE);
    }

    private static PositionalParamSpec node(boolean required) {
        return PositionalParamSpec.builder()
                .paramLabel("NODE")
                .type(String.class)
                .required(required)
                .arity(required ? "1" : "0..1")
                .description("The name of a peer in the network file." + (required ? "" : " Default: all nodes."))
                .build();
    }
}
