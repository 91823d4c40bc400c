package io.culvert.cli;

import static io.culvert.cli.Commands.command;
import static io.culvert.cli.Commands.flag;

import io.culvert.problem.Problem;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/** What can be done with a network file, as picocli is to know it. */
final class MeshCommands {

    private static final String NETWORK = "The network file; without it, what " + NetworkArgument.SETTING
            + " names, or " + NetworkArgument.DEFAULT + ".";

    private MeshCommands() {}

    static CommandSpec spec() {
        CommandSpec mesh = command(
                "mesh",
                use -> {
                    throw new ParameterException(
                            use.given().commandSpec().commandLine(),
                            "Say what to do: "
                                    + String.join(
                                            ", ",
                                            use.given()
                                                    .commandSpec()
                                                    .subcommands()
                                                    .keySet())
                                    + ".");
                },
                "Makes WireGuard meshes from one network file.");
        mesh.addSubcommand(
                        "check",
                        command("check", MeshQuestions::check, "Checks a network file. Changes nothing.")
                                .addPositional(argument("FILE", "0..1", NETWORK)))
                .addSubcommand("render", render())
                .addSubcommand(
                        "list",
                        command("list", MeshQuestions::list, "Shows all peers: their addresses, and where they are.")
                                .addOption(flag(MeshQuestions.TREE, "By subnet and group."))
                                .addOption(file()))
                .addSubcommand(
                        "explain",
                        command(
                                        "explain",
                                        MeshQuestions::explain,
                                        "Tells which line of the file gave one peer what it knows of another.")
                                .addPositional(argument("PEER", "1", "The peer that calls."))
                                .addPositional(argument("OTHER", "1", "The peer that is called.", 1))
                                .addOption(file()))
                .addSubcommand(
                        "graph",
                        command("graph", MeshQuestions::graph, "Draws who is linked with whom.")
                                .addOption(format("svg (the default) or dot, for Graphviz."))
                                .addOption(file()))
                .addSubcommand("keygen", keygen())
                .addSubcommand("qr", qr())
                .addSubcommand(
                        "schema",
                        command(
                                "schema",
                                MeshQuestions::schema,
                                "Prints the JSON Schema of network files, for editors."))
                .addSubcommand(
                        "import",
                        command(
                                        "import",
                                        MeshImports::run,
                                        "Writes a network file from wg-quick files, a wg-meshconf CSV, or Wirenix's as JSON.")
                                .addOption(option(
                                        MeshImports.KEYS,
                                        "DIR",
                                        "Write the secret keys that are met into files there."))
                                .addPositional(argument("FILES", "1..*", "What there is: see docs/network-file.md.")));
        return mesh;
    }

    private static CommandSpec render() {
        return command("render", MeshFiles::render, "Writes a node's files for other programs.")
                .addOption(format("wg-quick (the default), networkd, or json."))
                .addOption(option(
                        MeshFiles.OUTPUT,
                        "DIR",
                        "Write files there, for their owner only, with the keys that can be read here."))
                .addOption(flag(MeshFiles.ALL, "Every node, each into a directory of its own below DIR."))
                .addOption(flag(MeshFiles.WITH_KEYS, "Print secret keys, too."))
                .addOption(file())
                .addPositional(argument("NODE", "0..1", "The peer whose files are wanted."));
    }

    private static CommandSpec keygen() {
        return command("keygen", MeshFiles::keygen, "Makes a key, and prints the public one.")
                .addOption(flag(MeshFiles.PRESHARED, "A preshared key, which has no public one."))
                .addPositional(argument(
                        "FILE",
                        "0..1",
                        "Where the secret key goes. Without it, to standard output, before the public one."));
    }

    private static CommandSpec qr() {
        return command("qr", MeshFiles::qr, "Shows a phone's file as a QR code, for WireGuard's app to scan.")
                .addOption(option("--subnet", "NAME", "Of which subnet, where the peer is in several."))
                .addOption(format("terminal (the default), svg, or png."))
                .addOption(option(MeshFiles.OUTPUT, "FILE", "Write it there, for its owner only: it holds the key."))
                .addOption(file())
                .addPositional(argument("PEER", "1", "The peer whose file is wanted."));
    }

    /** What is worth knowing, but ends nothing, goes to standard error. */
    static void tell(Use use, List<Problem> problems) {
        var err = use.given().commandSpec().commandLine().getErr();
        new ProblemReport(Terminal.takesColour(System.getenv())).lines(problems).forEach(err::println);
        err.flush();
    }

    private static OptionSpec file() {
        return option(NetworkArgument.FILE, "FILE", NETWORK);
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
