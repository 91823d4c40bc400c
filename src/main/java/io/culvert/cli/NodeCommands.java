// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.meshnode.MeshNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands that configure this machine as a node of a network file. */
final class NodeCommands {

    private static final String NODE = "The name of a peer in the network file.";

    private NodeCommands() {}

    @Command(
            description =
                    "Configures this machine as a node of the mesh. If a step fails, nothing is changed. Run it again after the file has changed.")
    static final class Up extends BaseCommand {
        @Option(
                names = "--watch",
                description =
                        "Keep running until SIGTERM: revert external changes, apply changes of the file, and select the best endpoint of each peer. Then take the node down.")
        private boolean watch;

        @Mixin
        private FileOption file;

        @Parameters(paramLabel = "NODE", arity = "1", description = NODE)
        private String name;

        @Override
        public Integer call() throws InterruptedException {
            MeshNode node = new MeshNode(environment(), name);
            if (watch) {
                node.manage(file.path(this));
            } else {
                node.up(file.path(this));
            }
            return 0;
        }
    }

    @Command(description = "Removes a node and everything that 'up' configured. Needs no file.")
    static final class Down extends BaseCommand {
        @Parameters(paramLabel = "NODE", arity = "1", description = NODE)
        private String name;

        @Override
        public Integer call() {
            new MeshNode(environment(), name).down();
            return 0;
        }
    }

    @Command(
            description = "Shows what 'up' would change, in the syntax of ip and wg. Changes nothing.",
            footer = "Exit status: 0 no differences, 1 differences, or failed, 2 invalid file.")
    static final class Diff extends BaseCommand {
        @Mixin
        private FileOption file;

        @Parameters(paramLabel = "NODE", arity = "1", description = NODE)
        private String name;

        @Override
        public Integer call() {
            List<String> lines = new MeshNode(environment(), name).diff(file.path(this));
            lines.forEach(this::print);
            return lines.isEmpty() ? 0 : 1;
        }
    }

    @Command(description = "Shows the nodes on this machine and the endpoints of their peers.")
    static final class Status extends BaseCommand {
        @Mixin
        private JsonOption json;

        @Parameters(paramLabel = "NODE", arity = "0..1", description = NODE + " Default: all nodes.")
        private Optional<String> name;

        @Override
        public Integer call() {
            print(MeshNode.status(environment(), name, json.isGiven()));
            return 0;
        }
    }

    /** The option {@code --file}, which here has a short form. */
    static final class FileOption {
        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                arity = "1",
                description = NetworkArgument.DESCRIPTION)
        private Optional<String> path;

        Path path(BaseCommand command) {
            return NetworkArgument.path(command, path);
        }
    }
}
