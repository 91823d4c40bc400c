package io.culvert.cli;

import io.culvert.problem.DidYouMean;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.topology.MeshInterface;
import io.culvert.topology.NodeView;
import io.culvert.topology.Topology;
import io.culvert.topology.render.Networkd;
import io.culvert.topology.render.NodeJson;
import io.culvert.topology.render.QrCode;
import io.culvert.topology.render.RenderedFile;
import io.culvert.topology.render.WgQuick;
import io.culvert.wireguard.Keys;
import io.culvert.wireguard.SecretKey;
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

    private static final int PIXELS = 8;

    private MeshFiles() {}

    static int render(Use use) {
        String format = format(use, "wg-quick", "networkd", "json");
        Optional<Path> output = Optional.<String>ofNullable(use.given().matchedOptionValue(OUTPUT, null))
                .map(Path::of);
        if (use.has(ALL) == use.file().isPresent() || (use.has(ALL) && output.isEmpty())) {
            throw wrong(use, "Missing NODE, or " + ALL + " with " + OUTPUT + " DIR");
        }
        Topology topology = NetworkArgument.read(use);
        List<String> names = use.has(ALL)
                ? topology.peers()
                : List.of(NetworkArgument.node(topology, use.argument(0)).name());
        KeyFiles keys = new KeyFiles();
        boolean secrets = output.isPresent() || use.has(WITH_KEYS);
        for (String name : names) {
            NodeView node = NetworkArgument.node(topology, name);
            List<RenderedFile> files = files(node, format, secrets, keys);
            Optional<Path> directory = output.map(path -> use.has(ALL) ? path.resolve(name) : path);
            if (directory.isPresent()) {
                files.forEach(file -> PrivateFile.write(
                        directory.get().resolve(file.name()), file.text().getBytes(StandardCharsets.UTF_8)));
            } else {
                print(use, files);
            }
        }
        MeshCommands.tell(use, keys.problems().all());
        return 0;
    }

    /** Returns the files of a node. Keys are read only if requested: on a terminal, others may watch. */
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
                node.interfaces().forEach(mesh -> ownKey(node, mesh, keys).ifPresent(problems::add));
                problems.throwIfErrors();
                yield files;
            }
        };
    }

    /**
     * Returns a problem if the node's private key does not belong to its public key in the network file: no peer would
     * answer it, and nothing would show why.
     */
    private static Optional<Problem> ownKey(NodeView node, MeshInterface mesh, KeyFiles keys) {
        return mesh.privateKeyFile()
                .filter(file -> keys.key(file)
                        .map(key -> !Keys.publicOf(key).equals(node.publicKey()))
                        .orElse(false))
                .map(file -> Problem.input(
                        Place.file(file),
                        "not the private key of '" + node.name() + "'",
                        "set publicKey in the network file to: "
                                + Keys.publicOf(keys.key(file).orElseThrow())));
    }

    private static void print(Use use, List<RenderedFile> files) {
        for (RenderedFile file : files) {
            if (files.size() > 1) {
                use.print("# ---- " + file.name());
            }
            use.print(file.text().stripTrailing());
        }
    }

    static int keygen(Use use) {
        boolean preshared = use.has(PRESHARED);
        SecretKey key = preshared ? Keys.generatePreshared() : Keys.generatePrivate();
        String text = Base64.getEncoder().encodeToString(key.bytes());
        if (use.file().isPresent()) {
            PrivateFile.writeNew(Path.of(use.argument(0)), (text + "\n").getBytes(StandardCharsets.US_ASCII));
        } else {
            use.print((preshared ? "" : "private key: ") + text);
        }
        if (!preshared) {
            use.print((use.file().isPresent() ? "" : "public key:  ") + Keys.publicOf(key));
        }
        return 0;
    }

    static int qr(Use use) {
        String format = format(use, "terminal", "svg", "png");
        Optional<String> output = Optional.ofNullable(use.given().matchedOptionValue(OUTPUT, null));
        if (format.equals("png") && output.isEmpty()) {
            throw wrong(use, "Missing " + OUTPUT + " FILE for the format png");
        }
        Topology topology = NetworkArgument.read(use);
        NodeView node = NetworkArgument.node(topology, use.argument(0));
        MeshInterface mesh = oneInterface(use, topology, node);
        KeyFiles keys = new KeyFiles();
        String text = withoutComments(new WgQuick(keys::key).text(node, mesh));
        Problems problems = new Problems();
        ownKey(node, mesh, keys).ifPresent(problems::add);
        // Without its keys the code would be useless, so what is a warning elsewhere is an error here.
        keys.problems()
                .all()
                .forEach(it -> problems.add(Problem.input(
                        it.place(),
                        it.what(),
                        "move away a file that is not a key, and generate a key with 'culvert mesh keygen FILE'; the"
                                + " key of a phone stays on the machine that makes its code")));
        if (mesh.privateKeyFile().isEmpty()) {
            problems.add(Problem.input(
                    Place.file(topology.file()),
                    "peer '" + node.name() + "' has no privateKeyFile",
                    "generate a key with 'culvert mesh keygen FILE', and add privateKeyFile and publicKey to the"
                            + " network file"));
        }
        problems.throwIfErrors();
        QrCode code = QrCode.of(text)
                .orElseThrow(() -> new ProblemException(Problem.input(
                        Place.file(topology.file()),
                        "the configuration of '" + node.name() + "' is too long for a QR code (" + text.length()
                                + " characters)",
                        "link it with fewer peers, such as one hub, or copy the file of 'culvert mesh render' to it")));
        boolean colour = output.isEmpty() && Terminal.takesColour(System.getenv());
        byte[] drawn = switch (format) {
            case "svg" -> code.svg().getBytes(StandardCharsets.UTF_8);
            case "png" -> code.png(PIXELS);
            default -> code.blocks(colour).getBytes(StandardCharsets.UTF_8);
        };
        if (output.isPresent()) {
            PrivateFile.write(Path.of(output.get()), drawn);
        } else {
            use.print(new String(drawn, StandardCharsets.UTF_8).stripTrailing());
        }
        return 0;
    }

    /** Returns the text without comments and empty lines, as a smaller code can be scanned from further away. */
    private static String withoutComments(String text) {
        return text.lines()
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .collect(Collectors.joining("\n", "", "\n"));
    }

    private static MeshInterface oneInterface(Use use, Topology topology, NodeView node) {
        Optional<String> wanted = Optional.ofNullable(use.given().matchedOptionValue("--subnet", null));
        List<MeshInterface> found = new ArrayList<>(node.interfaces());
        found.removeIf(mesh -> wanted.isPresent() && !mesh.subnet().equals(wanted.get()));
        if (found.size() != 1) {
            List<String> names =
                    node.interfaces().stream().map(MeshInterface::subnet).toList();
            throw new ProblemException(Problem.input(
                    Place.file(topology.file()),
                    "peer '" + node.name() + "' is in " + (names.isEmpty() ? "no subnet" : String.join(", ", names))
                            + wanted.map(name -> ", not in '" + name + "'").orElse(""),
                    names.isEmpty() ? "add one to its 'subnets'" : "choose one of them with --subnet"));
        }
        return found.getFirst();
    }

    /** Returns the format given on the command line, by default the first of the words. */
    static String format(Use use, String... words) {
        String given = use.given().matchedOptionValue(FORMAT, words[0]);
        List<String> known = List.of(words);
        if (!known.contains(given)) {
            throw wrong(
                    use,
                    "Invalid " + FORMAT + ", expected one of " + String.join(", ", known)
                            + DidYouMean.nearest(given, known)
                                    .map(meant -> ": did you mean " + meant + "?")
                                    .orElse(""));
        }
        return given;
    }

    private static ParameterException wrong(Use use, String message) {
        return new ParameterException(use.given().commandSpec().commandLine(), message);
    }
}
