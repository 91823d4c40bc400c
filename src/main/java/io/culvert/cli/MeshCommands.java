// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import static io.culvert.cli.Commands.command;
import static io.culvert.cli.Commands.flag;

import io.culvert.diagnostics.Problem;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/** The commands for network files, as picocli's specification. */
final class MeshCommands {

    private MeshCommands() {}

    static CommandSpec spec() {
        CommandSpec mesh = command(
                "mesh",
                invocation -> {
                    throw new ParameterException(
                            invocation.parsed().commandSpec().commandLine(),
                            "Missing command: "
                                    + String.join(
                                            ", ",
                                            invocation
                                                    .parsed()
                                                    .commandSpec()
                                                    .subcommands()
                                                    .keySet()));
                },
                "Manages a WireGuard mesh that is described by one network file.");
        mesh.addSubcommand(
                        "check",
                        command("check", NetworkQueries::check, "Checks a network file. Changes nothing.")
                                .addPositional(argument("FILE", "0..1", NetworkArgument.DESCRIPTION)))
                .addSubcommand("render", renderCommand())
                .addSubcommand(
                        "list",
                        command("list", NetworkQueries::list, "Lists all peers with their addresses and endpoints.")
                                .addOption(flag(NetworkQueries.TREE, "Group the peers by subnet and group."))
                                .addOption(file()))
                .addSubcommand(
                        "explain",
                        command(
                                        "explain",
                                        NetworkQueries::explain,
                                        "Shows which line of the file sets each value of PEER's configuration for OTHER.")
                                .addPositional(argument("PEER", "1", "The peer whose configuration is explained."))
                                .addPositional(argument("OTHER", "1", "The peer that it is linked with.", 1))
                                .addOption(file()))
                .addSubcommand(
                        "graph",
                        command("graph", NetworkQueries::graph, "Draws the links between the peers.")
                                .addOption(format("svg (default) or dot, for Graphviz."))
                                .addOption(file()))
                .addSubcommand("keygen", keygenCommand())
                .addSubcommand("qr", qrCommand())
                .addSubcommand(
                        "schema",
                        command(
                                "schema",
                                NetworkQueries::schema,
                                "Prints the JSON Schema of network files, for editors."))
                .addSubcommand(
                        "import",
                        command(
                                        "import",
                                        MeshImports::run,
                                        "Converts wg-quick files, a wg-meshconf CSV, or a Wirenix configuration in JSON"
                                                + " to a network file.")
                                .addOption(option(
                                        MeshImports.KEYS,
                                        "DIR",
                                        "Write the private and preshared keys found to files in DIR."))
                                .addPositional(
                                        argument("FILES", "1..*", "The files to convert; see docs/network-file.md.")));
        return mesh;
    }

    private static CommandSpec renderCommand() {
        return command("render", MeshFiles::render, "Generates the configuration files of a node for other programs.")
                .addOption(format("wg-quick (default), networkd or json."))
                .addOption(option(
                        MeshFiles.OUTPUT,
                        "DIR",
                        "Write the files to DIR, readable by their owner only, with the keys that are available here."))
                .addOption(flag(
                        MeshFiles.ALL, "Generate the files of all nodes, each in a directory of its own below DIR."))
                .addOption(flag(MeshFiles.WITH_KEYS, "Print private and preshared keys, too."))
                .addOption(file())
                .addPositional(argument("NODE", "0..1", "The peer whose files are generated."));
    }

    private static CommandSpec keygenCommand() {
        return command("keygen", MeshFiles::keygen, "Generates a private key and prints its public key.")
                .addOption(flag(MeshFiles.PRESHARED, "Generate a preshared key, which has no public key."))
                .addPositional(argument(
                        "FILE",
                        "0..1",
                        "The file to write the key to. Default: standard output, before the public key."));
    }

    private static CommandSpec qrCommand() {
        return command("qr", MeshFiles::qr, "Shows the configuration of a peer as a QR code for the WireGuard app.")
                .addOption(option("--subnet", "NAME", "The subnet, if the peer is in several."))
                .addOption(format("terminal (default), svg or png."))
                .addOption(option(
                        MeshFiles.OUTPUT,
                        "FILE",
                        "Write the code to FILE, readable by its owner only: it contains the private key."))
                .addOption(file())
                .addPositional(argument("PEER", "1", "The peer whose configuration is shown."));
    }

    /** Prints problems that do not stop the command on standard error. */
    static void printProblems(Invocation invocation, List<Problem> problems) {
        var err = invocation.parsed().commandSpec().commandLine().getErr();
        new ProblemReport(Terminal.supportsColour(System.getenv()))
                .lines(problems)
                .forEach(err::println);
        err.flush();
    }

    private static OptionSpec file() {
        return NetworkArgument.option(NetworkArgument.FILE);
    }

    private static OptionSpec format(String words) {
        return option(MeshFiles.FORMAT, "FORMAT", words);
    }

    private static OptionSpec option(String name, String label, String description) {
        return OptionSpec.builder(name)
                .paramLabel(label)
                .type(String.class)
                .arity("1")
                .description(description)
                .build();
    }

    private static PositionalParamSpec argument(String label, String arity, String description) {
        return argument(label, arity, description, 0);
    }

    private static PositionalParamSpec argument(String label, String arity, String description, int index) {
        boolean many = arity.endsWith("*");
        return PositionalParamSpec.builder()
                .paramLabel(label)
                .index(many ? "0..*" : String.valueOf(index))
                .type(many ? String[].class : String.class)
                .required(!arity.startsWith("0"))
                .arity(arity)
                .description(description)
                .build();
    }
}
