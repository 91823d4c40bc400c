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
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.ParameterException;

/** The commands that generate files from a network file, and keys. */
final class MeshFiles {

    static final String FORMAT = "--format";
    static final String OUTPUT = "--output";
    static final String ALL = "--all";
    static final String WITH_KEYS = "--with-keys";
    static final String PRESHARED = "--preshared";

    private static final int PIXELS_PER_MODULE = 8;

    private MeshFiles() {}

    static int render(Invocation invocation) {
        String format = format(invocation, "wg-quick", "networkd", "json");
        Optional<Path> output = Optional.<String>ofNullable(invocation.parsed().matchedOptionValue(OUTPUT, null))
                .map(Path::of);
        if (invocation.has(ALL) == invocation.firstArgument().isPresent()
                || (invocation.has(ALL) && output.isEmpty())) {
            throw usageError(invocation, "Missing NODE, or " + ALL + " with " + OUTPUT + " DIR");
        }
        Topology topology = NetworkArgument.read(invocation);
        List<String> names = invocation.has(ALL)
                ? topology.peers()
                : List.of(NetworkArgument.node(topology, invocation.argument(0)).name());
        KeyFiles keys = new KeyFiles();
        boolean secrets = output.isPresent() || invocation.has(WITH_KEYS);
        for (String name : names) {
            NodeView node = NetworkArgument.node(topology, name);
            List<RenderedFile> files = files(node, format, secrets, keys);
            Optional<Path> directory = output.map(path -> invocation.has(ALL) ? path.resolve(name) : path);
            if (directory.isPresent()) {
                files.forEach(file -> PrivateFile.write(
                        directory.get().resolve(file.name()), file.text().getBytes(StandardCharsets.UTF_8)));
            } else {
                print(invocation, files);
            }
        }
        MeshCommands.printProblems(invocation, keys.problems().all());
        return 0;
    }

    /** Returns the files of a node. Key files are read only if requested: on a terminal, others may watch. */
    private static List<RenderedFile> files(NodeView node, String format, boolean secrets, KeyFiles keys) {
        return switch (format) {
            case "networkd" -> Networkd.files(node);
            case "json" -> List.of(new RenderedFile(node.name() + ".json", NodeJson.of(node) + "\n"));
            default -> {
                if (!secrets) {
                    yield new WgQuick(_ -> Optional.empty()).files(node);
                }
                List<RenderedFile> files = new WgQuick(keys::key).files(node);
                Problems problems = keys.problems();
                node.interfaces()
                        .forEach(mesh -> checkPrivateKey(node, mesh, keys).ifPresent(problems::add));
                problems.throwIfErrors();
                yield files;
            }
        };
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

    private static void print(Invocation invocation, List<RenderedFile> files) {
        for (RenderedFile file : files) {
            if (files.size() > 1) {
                invocation.print("# ---- " + file.name());
            }
            invocation.print(file.text().stripTrailing());
        }
    }

    static int keygen(Invocation invocation) {
        boolean preshared = invocation.has(PRESHARED);
        SecretKey key = preshared ? KeyGenerator.generatePreshared() : KeyGenerator.generatePrivate();
        String text = Base64.getEncoder().encodeToString(key.bytes());
        if (invocation.firstArgument().isPresent()) {
            PrivateFile.writeNew(Path.of(invocation.argument(0)), (text + "\n").getBytes(StandardCharsets.US_ASCII));
        } else {
            invocation.print((preshared ? "" : "private key: ") + text);
        }
        if (!preshared) {
            invocation.print(
                    (invocation.firstArgument().isPresent() ? "" : "public key:  ") + KeyGenerator.publicOf(key));
        }
        return 0;
    }

    static int qr(Invocation invocation) {
        String format = format(invocation, "terminal", "svg", "png");
        Optional<String> output = Optional.ofNullable(invocation.parsed().matchedOptionValue(OUTPUT, null));
        if (format.equals("png") && output.isEmpty()) {
            throw usageError(invocation, "Missing " + OUTPUT + " FILE for the format png");
        }
        Topology topology = NetworkArgument.read(invocation);
        NodeView node = NetworkArgument.node(topology, invocation.argument(0));
        NodeInterface mesh = selectInterface(invocation, topology, node);
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
                .orElseThrow(() -> new ProblemException(Problem.input(
                        Location.file(topology.file()),
                        "the configuration of '" + node.name() + "' is too long for a QR code (" + text.length()
                                + " characters)",
                        "link it with fewer peers, such as one hub, or copy the file of 'culvert mesh render' to it")));
        boolean colour = output.isEmpty() && Terminal.supportsColour(System.getenv());
        byte[] image = switch (format) {
            case "svg" -> code.svg().getBytes(StandardCharsets.UTF_8);
            case "png" -> code.png(PIXELS_PER_MODULE);
            default -> code.blocks(colour).getBytes(StandardCharsets.UTF_8);
        };
        if (output.isPresent()) {
            PrivateFile.write(Path.of(output.get()), image);
        } else {
            invocation.print(new String(image, StandardCharsets.UTF_8).stripTrailing());
        }
        return 0;
    }

    /** Returns the text without comments and empty lines, as a smaller code can be scanned from further away. */
    private static String withoutComments(String text) {
        return text.lines()
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .collect(Collectors.joining("\n", "", "\n"));
    }

    private static NodeInterface selectInterface(Invocation invocation, Topology topology, NodeView node) {
        Optional<String> subnet = Optional.ofNullable(invocation.parsed().matchedOptionValue("--subnet", null));
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
    static String format(Invocation invocation, String... words) {
        String format = invocation.parsed().matchedOptionValue(FORMAT, words[0]);
        List<String> formats = List.of(words);
        if (!formats.contains(format)) {
            throw usageError(
                    invocation,
                    "Invalid " + FORMAT + ", expected one of " + String.join(", ", formats)
                            + DidYouMean.nearest(format, formats)
                                    .map(suggestion -> ": did you mean " + suggestion + "?")
                                    .orElse(""));
        }
        return format;
    }

    private static ParameterException usageError(Invocation invocation, String message) {
        return new ParameterException(invocation.parsed().commandSpec().commandLine(), message);
    }
}
