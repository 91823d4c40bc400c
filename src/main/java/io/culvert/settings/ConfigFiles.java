package io.culvert.settings;

import io.culvert.problem.Hints;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Locates the files that settings name, without reading them. */
final class ConfigFiles {

    private static final Path USUAL = Path.of("/etc/wireguard");

    private final Values values;
    private final FileRoot root;
    private final Problems problems;

    ConfigFiles(Values values, FileRoot root, Problems problems) {
        this.values = values;
        this.root = root;
        this.problems = problems;
    }

    /** Returns the file that a setting names; empty if it names none, or one that does not exist, which is reported. */
    Optional<Path> one(Setting<Path> setting) {
        return values.find(setting).flatMap(named -> {
            Path file = root.at(named);
            if (Files.isRegularFile(file)) {
                return Optional.of(file);
            }
            wrong(setting, named, Files.exists(file) ? "is not a file" : "does not exist");
            return Optional.empty();
        });
    }

    /** Returns the tunnel's files in failover order, without the file of the mesh; empty only if that was reported. */
    List<Path> tunnel(Optional<Path> mesh) {
        Optional<Path> wanted = values.find(Catalogue.WIREGUARD_CONFIG);
        if (wanted.isEmpty() && values.isGiven(Catalogue.WIREGUARD_CONFIG)) {
            return List.of();
        }
        Path named = wanted.orElse(USUAL);
        Path there = root.at(named);
        if (Files.isRegularFile(there)) {
            if (mesh.isPresent() && same(there, mesh.get())) {
                problems.add(Problem.input(
                        values.place(Catalogue.MESH_CONFIG),
                        named + " is the file of the tunnel itself",
                        "use the file of the interface that your own devices connect to"));
            }
            return List.of(there);
        }
        if (!Files.isDirectory(there)) {
            wrong(Catalogue.WIREGUARD_CONFIG, named, "does not exist");
            return List.of();
        }
        return inDirectory(named, there, mesh);
    }

    private List<Path> inDirectory(Path named, Path directory, Optional<Path> mesh) {
        List<Path> files;
        try (Stream<Path> entries = Files.list(directory)) {
            files = entries.filter(file -> file.getFileName().toString().endsWith(".conf"))
                    .filter(file -> !file.getFileName().toString().startsWith("."))
                    .filter(Files::isRegularFile)
                    .filter(file -> mesh.isEmpty() || !same(file, mesh.get()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            wrong(
                    Catalogue.WIREGUARD_CONFIG,
                    named,
                    "cannot be listed (" + e.getClass().getSimpleName() + ")");
            return List.of();
        }
        if (files.isEmpty()) {
            wrong(
                    Catalogue.WIREGUARD_CONFIG,
                    named,
                    mesh.isPresent()
                            ? "contains no *.conf file other than that of the mesh"
                            : "contains no *.conf file");
        }
        return files;
    }

    private void wrong(Setting<Path> setting, Path named, String why) {
        problems.add(Problem.input(
                values.place(setting),
                (values.isGiven(setting) ? named + " " : "not set, and " + named + " ") + why,
                setting.equals(Catalogue.WIREGUARD_CONFIG)
                        ? Hints.here().bring("your provider's file", wanted(named)) + ", or set " + setting.name()
                                + " to its path"
                        : Hints.here().bring("the file", "this path") + ", or correct the path"));
    }

    private String wanted(Path named) {
        boolean directory = named.equals(USUAL) || Files.isDirectory(root.at(named));
        return (directory ? named.resolve("wg0.conf") : named).toString();
    }

    private static boolean same(Path left, Path right) {
        try {
            return Files.isSameFile(left, right);
        } catch (IOException _) {
            return left.equals(right);
        }
    }
}
