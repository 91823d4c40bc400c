// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.networkfile.NetworkFile;
import io.culvert.networkfile.YamlConversion;
import io.culvert.networkfile.imports.ImportResult;
import io.culvert.networkfile.imports.MeshconfImport;
import io.culvert.networkfile.imports.WgQuickImport;
import io.culvert.wireguard.config.SecretKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Converts files of other programs to a network file. The kind of the files is detected by their content. */
@Command(
        description =
                "Converts wg-quick files, a wg-meshconf CSV, or a Wirenix configuration in JSON to a network file.")
final class MeshImport extends BaseCommand {

    private static final String KEYS = "--keys";

    /** The usual directory of keys, which the network file refers to; without the option, no keys are written there. */
    private static final Path DEFAULT_KEY_DIRECTORY = Path.of("/etc/wireguard");

    @Option(
            names = KEYS,
            paramLabel = "DIR",
            arity = "1",
            description = "Write the private and preshared keys found to files in DIR.")
    private Optional<Path> keyDirectory;

    @Parameters(
            index = "0..*",
            paramLabel = "FILES",
            arity = "1..*",
            description = "The files to convert; see docs/network-file.md.")
    private List<String> files;

    /** Runs the command; returns 2 if the resulting network file has errors, which are printed. */
    @Override
    public Integer call() {
        Map<Path, String> texts = new LinkedHashMap<>();
        for (String file : files) {
            texts.put(Path.of(file), read(Path.of(file)));
        }
        Path first = texts.keySet().iterator().next();
        String text = texts.getOrDefault(first, "");
        if (texts.size() == 1 && text.stripLeading().startsWith("{")) {
            return importWirenix(first, text);
        }
        Path keys = keyDirectory.map(Path::toAbsolutePath).orElse(DEFAULT_KEY_DIRECTORY);
        return printResult(
                texts.size() == 1 && MeshconfImport.recognises(text)
                        ? MeshconfImport.of(first, text, keys)
                        : WgQuickImport.of(texts, keys));
    }

    private int importWirenix(Path file, String text) {
        YamlConversion.ConvertedYaml translated = YamlConversion.of(file, text);
        if (translated.yaml().isEmpty()) {
            throw new ProblemException(translated.problems());
        }
        print(translated.yaml().get().stripTrailing());
        printProblems(translated.problems());
        return translated.problems().stream().anyMatch(problem -> problem.kind().isError()) ? 2 : 0;
    }

    private int printResult(ImportResult imported) {
        boolean writeKeys = keyDirectory.isPresent();
        if (imported.yaml().isEmpty()) {
            throw new ProblemException(imported.problems());
        }
        List<Problem> problems = new ArrayList<>(imported.problems());
        Map<Path, SecretKey> missingKeys = writeKeys ? missingKeys(imported.keys()) : Map.of();
        print(imported.yaml().stripTrailing());
        if (writeKeys) {
            missingKeys.forEach(PrivateFile::writeNew);
        } else {
            imported.keys().keySet().stream()
                    .sorted()
                    .forEach(file -> problems.add(
                            Problem.note(Location.file(file), "key not written; use " + KEYS + " DIR to write it")));
        }
        List<Problem> fileProblems =
                NetworkFile.parse(Path.of("network.yaml"), imported.yaml()).problems();
        problems.addAll(fileProblems);
        printProblems(problems);
        return fileProblems.stream().anyMatch(problem -> problem.kind().isError()) ? 2 : 0;
    }

    /**
     * Returns the keys that are not in their files yet. An overwritten key is lost, so if one of the files contains
     * anything else, no key is written.
     */
    private static Map<Path, SecretKey> missingKeys(Map<Path, SecretKey> keys) {
        Map<Path, SecretKey> missingKeys = new TreeMap<>();
        List<Problem> conflicts = new ArrayList<>();
        keys.forEach((file, key) -> {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                missingKeys.put(file, key);
            } else if (!contains(file, key)) {
                conflicts.add(Problem.input(
                        Location.file(file),
                        "the file exists and does not contain this key; no key was written",
                        "move the file away if it is not needed, or use another directory with " + KEYS));
            }
        });
        if (!conflicts.isEmpty()) {
            throw new ProblemException(conflicts);
        }
        return missingKeys;
    }

    private static boolean contains(Path file, SecretKey key) {
        try {
            return SecretKey.read(file).equals(key);
        } catch (IOException | IllegalArgumentException _) {
            return false;
        }
    }

    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new ProblemException(Problem.input(
                    Location.file(file),
                    e instanceof NoSuchFileException ? "file not found" : "cannot read the file: " + e.getMessage(),
                    "use wg-quick files, a wg-meshconf CSV, or JSON"));
        }
    }
}
