// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.DidYouMean;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.Problems;
import io.culvert.networkfile.NodeInterface;
import io.culvert.networkfile.NodeView;
import io.culvert.networkfile.Topology;
import io.culvert.networkfile.render.Networkd;
import io.culvert.networkfile.render.NodeJson;
import io.culvert.networkfile.render.QrCode;
import io.culvert.networkfile.render.RenderedFile;
import io.culvert.networkfile.render.WgQuick;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands that generate files from a network file, and keys. */
final class MeshFiles {

    private static final String FORMAT = "--format";
    private static final String OUTPUT = "--output";
    private static final String ALL = "--all";

    private static final int PIXELS_PER_MODULE = 8;

    private MeshFiles() {}

    @Command(description = "Generates the configuration files of a node for other programs.")
    static final class Render extends BaseCommand {
        @Option(
                names = FORMAT,
                paramLabel = "FORMAT",
                arity = "1",
                description = "wg-quick (default), networkd or json.")
        private Optional<String> format;

        @Option(
                names = OUTPUT,
                paramLabel = "DIR",
                arity = "1",
                description =
                        "Write the files to DIR, readable by their owner only, with the keys that are available here.")
        private Optional<Path> output;

        @Option(names = ALL, description = "Generate the files of all nodes, each in a directory of its own below DIR.")
        private boolean all;

        @Option(names = "--with-keys", description = "Print private and preshared keys, too.")
        private boolean withKeys;

        @Mixin
        private NetworkArgument network;

        @Parameters(
                index = "0",
                paramLabel = "NODE",
                arity = "0..1",
                description = "The peer whose files are generated.")
        private Optional<String> node;

        @Override
        public Integer call() {
            String chosen = format(this, format, "wg-quick", "networkd", "json");
            if (all == node.isPresent() || (all && output.isEmpty())) {
                throw usageError("Missing NODE, or " + ALL + " with " + OUTPUT + " DIR");
            }
            Topology topology = network.read(this);
            List<String> names = node.map(
                            name -> List.of(NetworkArgument.node(topology, name).name()))
                    .orElseGet(topology::peers);
            KeyFiles keys = new KeyFiles();
            // Only if requested: on a terminal, others may watch.
            boolean secrets = output.isPresent() || withKeys;
            WgQuick wgQuick = new WgQuick(secrets ? keys::key : _ -> Optional.empty());
            for (String name : names) {
                NodeView view = NetworkArgument.node(topology, name);
                List<RenderedFile> files = files(view, chosen, wgQuick);
                if (secrets && chosen.equals("wg-quick")) {
                    checkPrivateKeys(view, keys);
                }
                Optional<Path> directory = output.map(path -> all ? path.resolve(name) : path);
                if (directory.isPresent()) {
                    files.forEach(file -> PrivateFile.write(
                            directory.get().resolve(file.name()), file.text().getBytes(StandardCharsets.UTF_8)));
                } else {
                    print(files);
                }
            }
            printProblems(keys.problems().all());
            return 0;
        }

        private void print(List<RenderedFile> files) {
            for (RenderedFile file : files) {
                if (files.size() > 1) {
                    print("# ---- " + file.name());
                }
                print(file.text().stripTrailing());
            }
        }
    }

    private static List<RenderedFile> files(NodeView node, String format, WgQuick wgQuick) {
        return switch (format) {
            case "networkd" -> Networkd.files(node);
            case "json" -> List.of(new RenderedFile(node.name() + ".json", NodeJson.of(node) + "\n"));
            default -> wgQuick.files(node);
        };
    }

    private static void checkPrivateKeys(NodeView node, KeyFiles keys) {
        Problems problems = keys.problems();
        node.interfaces().forEach(mesh -> checkPrivateKey(node, mesh, keys).ifPresent(problems::add));
        problems.throwIfErrors();
    }

    /**
     * Returns a problem if the node's private key does not belong to its public key in the network file: no peer would
     * respond to it, and nothing would show why.
     */
    private static Optional<Problem> checkPrivateKey(NodeView node, NodeInterface mesh, KeyFiles keys) {
        return mesh.privateKeyFile()
                .filter(file -> keys.key(file)
                        .map(key -> !KeyGenerator.publicOf(key).equals(node.publicKey()))
                        .orElse(false))
                .map(file -> Problem.input(
                        Location.file(file),
                        "not the private key of '" + node.name() + "'",
                        "set publicKey in the network file to: "
                                + KeyGenerator.publicOf(keys.key(file).orElseThrow())));
    }

    @Command(description = "Generates a private key and prints its public key.")
    static final class Keygen extends BaseCommand {
        @Option(names = "--preshared", description = "Generate a preshared key, which has no public key.")
        private boolean preshared;

        @Parameters(
                index = "0",
                paramLabel = "FILE",
                arity = "0..1",
                description = "The file to write the key to. Default: standard output, before the public key.")
        private Optional<Path> file;

        @Override
        public Integer call() {
            SecretKey key = preshared ? KeyGenerator.generatePreshared() : KeyGenerator.generatePrivate();
            if (file.isPresent()) {
                PrivateFile.writeNew(file.get(), key);
            } else {
                print((preshared ? "" : "private key: ") + key.base64());
            }
            if (!preshared) {
                print((file.isPresent() ? "" : "public key:  ") + KeyGenerator.publicOf(key));
            }
            return 0;
        }
    }

    @Command(description = "Shows the configuration of a peer as a QR code for the WireGuard app.")
    static final class Qr extends BaseCommand {
        @Option(
                names = "--subnet",
                paramLabel = "NAME",
                arity = "1",
                description = "The subnet, if the peer is in several.")
        private Optional<String> subnet;

        @Option(names = FORMAT, paramLabel = "FORMAT", arity = "1", description = "terminal (default), svg or png.")
        private Optional<String> format;

        @Option(
                names = OUTPUT,
                paramLabel = "FILE",
                arity = "1",
                description = "Write the code to FILE, readable by its owner only: it contains the private key.")
        private Optional<Path> output;

        @Mixin
        private NetworkArgument network;

        @Parameters(
                index = "0",
                paramLabel = "PEER",
                arity = "1",
                description = "The peer whose configuration is shown.")
        private String peer;

        @Override
        public Integer call() {
            String chosen = format(this, format, "terminal", "svg", "png");
            if (chosen.equals("png") && output.isEmpty()) {
                throw usageError("Missing " + OUTPUT + " FILE for the format png");
            }
            Topology topology = network.read(this);
            NodeView node = NetworkArgument.node(topology, peer);
            NodeInterface mesh = selectInterface(topology, node, subnet);
            KeyFiles keys = new KeyFiles();
            String text = withoutComments(new WgQuick(keys::key).text(node, mesh));
            Problems problems = new Problems();
            checkPrivateKey(node, mesh, keys).ifPresent(problems::add);
            // Without its keys the code would be useless, so what is a warning elsewhere is an error here.
            keys.problems()
                    .all()
                    .forEach(problem -> problems.add(Problem.input(
                            problem.location(),
                            problem.message(),
                            "move away a file that is not a key, and generate a key with 'culvert mesh keygen FILE'; the"
                                    + " key of a phone stays on the machine that makes its code")));
            if (mesh.privateKeyFile().isEmpty()) {
                problems.add(Problem.input(
                        Location.file(topology.file()),
                        "peer '" + node.name() + "' has no privateKeyFile",
                        "generate a key with 'culvert mesh keygen FILE', and add privateKeyFile and publicKey to the"
                                + " network file"));
            }
            problems.throwIfErrors();
            QrCode code = QrCode.of(text)
                    .orElseThrow(
                            () -> new ProblemException(
                                    Problem.input(
                                            Location.file(topology.file()),
                                            "the configuration of '" + node.name() + "' is too long for a QR code ("
                                                    + text.length() + " characters)",
                                            "link it with fewer peers, such as one hub, or copy the file of 'culvert mesh render' to it")));
            boolean colour = output.isEmpty() && Terminal.supportsColour(System.getenv());
            byte[] image = switch (chosen) {
                case "svg" -> code.svg().getBytes(StandardCharsets.UTF_8);
                case "png" -> code.png(PIXELS_PER_MODULE);
                default -> code.blocks(colour).getBytes(StandardCharsets.UTF_8);
            };
            if (output.isPresent()) {
                PrivateFile.write(output.get(), image);
            } else {
                print(new String(image, StandardCharsets.UTF_8).stripTrailing());
            }
            return 0;
        }
    }

    /** Returns the text without comments and empty lines, as a smaller code can be scanned from further away. */
    private static String withoutComments(String text) {
        return text.lines()
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .collect(Collectors.joining("\n", "", "\n"));
    }

    private static NodeInterface selectInterface(Topology topology, NodeView node, Optional<String> subnet) {
        List<NodeInterface> matching = new ArrayList<>(node.interfaces());
        matching.removeIf(mesh -> subnet.isPresent() && !mesh.subnet().equals(subnet.get()));
        if (matching.size() != 1) {
            List<String> names =
                    node.interfaces().stream().map(NodeInterface::subnet).toList();
            throw new ProblemException(Problem.input(
                    Location.file(topology.file()),
                    "peer '" + node.name() + "' is in " + (names.isEmpty() ? "no subnet" : String.join(", ", names))
                            + subnet.map(name -> ", not in '" + name + "'").orElse(""),
                    names.isEmpty() ? "add one to its 'subnets'" : "choose one of them with --subnet"));
        }
        return matching.getFirst();
    }

    /** Returns the format given on the command line, by default the first of the words. */
    static String format(BaseCommand command, Optional<String> given, String... words) {
        String format = given.orElse(words[0]);
        List<String> formats = List.of(words);
        if (!formats.contains(format)) {
            throw command.usageError("Invalid " + FORMAT + ", expected one of " + String.join(", ", formats)
                    + DidYouMean.nearest(format, formats)
                            .map(suggestion -> ": did you mean " + suggestion + "?")
                            .orElse(""));
        }
        return format;
    }
}
