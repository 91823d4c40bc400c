// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Locates the files that settings name, without reading them. */
final class ConfigFiles {

    static final Path DEFAULT_DIRECTORY = Path.of("/etc/wireguard");

    private final SettingValues values;
    private final FileRoot root;
    private final Problems problems;

    ConfigFiles(SettingValues values, FileRoot root, Problems problems) {
        this.values = values;
        this.root = root;
        this.problems = problems;
    }

    /** Returns the file that a setting names; empty if it names none, or one that does not exist, which is reported. */
    Optional<Path> file(Setting<Path> setting) {
        return values.find(setting).flatMap(named -> {
            Path file = root.resolve(named);
            if (Files.isRegularFile(file)) {
                return Optional.of(file);
            }
            reportFile(setting, named, Files.exists(file) ? "is not a file" : "does not exist");
            return Optional.empty();
        });
    }

    /** Returns the tunnel's files in failover order, without the file of the mesh; empty only if that was reported. */
    List<Path> tunnelFiles(Optional<Path> mesh) {
        Optional<Path> configured = values.find(Catalogue.WIREGUARD_CONFIG);
        if (configured.isEmpty() && values.isSet(Catalogue.WIREGUARD_CONFIG)) {
            return List.of();
        }
        Path named = configured.orElse(DEFAULT_DIRECTORY);
        Path resolved = root.resolve(named);
        if (Files.isRegularFile(resolved)) {
            if (mesh.isPresent() && isSameFile(resolved, mesh.get())) {
                problems.add(Problem.input(
                        values.location(Catalogue.MESH_CONFIG),
                        named + " is the file of the tunnel itself",
                        "use the file of the interface that your own devices connect to"));
            }
            return List.of(resolved);
        }
        if (!Files.isDirectory(resolved)) {
            reportFile(Catalogue.WIREGUARD_CONFIG, named, "does not exist");
            return List.of();
        }
        return inDirectory(named, resolved, mesh);
    }

    private List<Path> inDirectory(Path named, Path directory, Optional<Path> mesh) {
        List<Path> files;
        try (Stream<Path> entries = Files.list(directory)) {
            files = entries.filter(file -> file.getFileName().toString().endsWith(".conf"))
                    .filter(file -> !file.getFileName().toString().startsWith("."))
                    .filter(Files::isRegularFile)
                    .filter(file -> mesh.isEmpty() || !isSameFile(file, mesh.get()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            reportFile(
                    Catalogue.WIREGUARD_CONFIG,
                    named,
                    "cannot be listed (" + e.getClass().getSimpleName() + ")");
            return List.of();
        }
        if (files.isEmpty()) {
            reportFile(
                    Catalogue.WIREGUARD_CONFIG,
                    named,
                    mesh.isPresent()
                            ? "contains no *.conf file other than that of the mesh"
                            : "contains no *.conf file");
        }
        return files;
    }

    private void reportFile(Setting<Path> setting, Path named, String why) {
        problems.add(Problem.input(
                values.location(setting),
                (values.isSet(setting) ? named + " " : "not set, and " + named + " ") + why,
                setting.equals(Catalogue.WIREGUARD_CONFIG)
                        ? Hints.here().provideFile("your provider's file", expectedPath(named)) + ", or set "
                                + setting.name() + " to its path"
                        : Hints.here().provideFile("the file", "this path") + ", or correct the path"));
    }

    private String expectedPath(Path named) {
        boolean directory = named.equals(DEFAULT_DIRECTORY) || Files.isDirectory(root.resolve(named));
        return (directory ? named.resolve("wg0.conf") : named).toString();
    }

    private static boolean isSameFile(Path path, Path otherPath) {
        try {
            return Files.isSameFile(path, otherPath);
        } catch (IOException _) {
            return path.equals(otherPath);
        }
    }
}
