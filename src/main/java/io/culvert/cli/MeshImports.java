package io.culvert.cli;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.topology.NetworkFile;
import io.culvert.topology.Translation;
import io.culvert.topology.imports.Imported;
import io.culvert.topology.imports.MeshconfImport;
import io.culvert.topology.imports.WgQuickImport;
import io.culvert.wireguard.SecretKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Converts files of other programs to a network file. The kind of the files is detected by their content. */
final class MeshImports {

    static final String KEYS = "--keys";

    /** The usual directory of keys, which the network file refers to; without the option, no keys are written there. */
    private static final Path USUAL = Path.of("/etc/wireguard");

    private MeshImports() {}

    /** Runs the command; returns 2 if the resulting network file has errors, which are printed. */
    static int run(Use use) {
        Map<Path, String> texts = new LinkedHashMap<>();
        String[] files = use.given().matchedPositionalValue(0, new String[0]);
        for (String file : files) {
            texts.put(Path.of(file), text(Path.of(file)));
        }
        Path first = texts.keySet().iterator().next();
        String text = texts.getOrDefault(first, "");
        if (texts.size() == 1 && text.stripLeading().startsWith("{")) {
            return wirenix(use, first, text);
        }
        Optional<Path> directory = Optional.<String>ofNullable(use.given().matchedOptionValue(KEYS, null))
                .map(Path::of);
        Path keys = directory.map(Path::toAbsolutePath).orElse(USUAL);
        return finish(
                use,
                texts.size() == 1 && MeshconfImport.recognises(text)
                        ? MeshconfImport.of(first, text, keys)
                        : WgQuickImport.of(texts, keys),
                directory.isPresent());
    }

    private static int wirenix(Use use, Path file, String text) {
        Translation.Translated translated = Translation.of(file, text);
        if (translated.yaml().isEmpty()) {
            throw new ProblemException(translated.problems());
        }
        use.print(translated.yaml().get().stripTrailing());
        MeshCommands.tell(use, translated.problems());
        return translated.problems().stream().anyMatch(it -> it.kind().isError()) ? 2 : 0;
    }

    private static int finish(Use use, Imported imported, boolean writeKeys) {
        if (imported.yaml().isEmpty()) {
            throw new ProblemException(imported.problems());
        }
        List<Problem> problems = new ArrayList<>(imported.problems());
        Map<Path, SecretKey> absent = writeKeys ? absent(imported.keys()) : Map.of();
        use.print(imported.yaml().stripTrailing());
        if (writeKeys) {
            absent.forEach((file, key) -> PrivateFile.writeNew(
                    file,
                    (Base64.getEncoder().encodeToString(key.bytes()) + "\n").getBytes(StandardCharsets.US_ASCII)));
        } else {
            imported.keys().keySet().stream()
                    .sorted()
                    .forEach(file -> problems.add(
                            Problem.note(Place.file(file), "key not written; use " + KEYS + " DIR to write it")));
        }
        List<Problem> mistakes =
                NetworkFile.parse(Path.of("network.yaml"), imported.yaml()).problems();
        problems.addAll(mistakes);
        MeshCommands.tell(use, problems);
        return mistakes.stream().anyMatch(it -> it.kind().isError()) ? 2 : 0;
    }

    /**
     * Returns the keys that are not in their files yet. An overwritten key is lost, so if one of the files contains
     * anything else, no key is written.
     */
    private static Map<Path, SecretKey> absent(Map<Path, SecretKey> keys) {
        Map<Path, SecretKey> absent = new TreeMap<>();
        List<Problem> taken = new ArrayList<>();
        keys.forEach((file, key) -> {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                absent.put(file, key);
            } else if (!holds(file, key)) {
                taken.add(Problem.input(
                        Place.file(file),
                        "the file exists and does not contain this key; no key was written",
                        "move the file away if it is not needed, or use another directory with " + KEYS));
            }
        });
        if (!taken.isEmpty()) {
            throw new ProblemException(taken);
        }
        return absent;
    }

    private static boolean holds(Path file, SecretKey key) {
        try {
            return SecretKey.parse(Files.readString(file).strip()).equals(key);
        } catch (IOException | IllegalArgumentException _) {
            return false;
        }
    }

    private static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new ProblemException(Problem.input(
                    Place.file(file),
                    e instanceof NoSuchFileException ? "file not found" : "cannot read the file: " + e.getMessage(),
                    "use wg-quick files, a wg-meshconf CSV, or JSON"));
        }
    }
}
