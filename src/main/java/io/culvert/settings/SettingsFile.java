// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The file that {@code CULVERT_SETTINGS} names, in the syntax of {@code docker run --env-file}: {@code NAME=value} lines, the
 * value verbatim; {@code #} starts a comment at the beginning of a line only, and a name alone takes the value from the
 * environment, which it would anyway. A variable that is set in the environment, and not empty, takes precedence.
 *
 * @param path the path as displayed; empty if no file is named
 * @param variables the variables of the file that the environment does not set
 * @param lines the line of each of these variables
 */
record SettingsFile(Optional<Path> path, Map<String, String> variables, Map<String, Integer> lines) {

    SettingsFile {
        variables = Map.copyOf(variables);
        lines = Map.copyOf(lines);
    }

    private static final SettingsFile NONE = new SettingsFile(Optional.empty(), Map.of(), Map.of());

    /** Reads the file. Invalid input does not throw; it is added to the problems. */
    static SettingsFile read(Map<String, String> environment, FileRoot root, Problems problems) {
        // An invalid path is reported with the other settings.
        List<ConfiguredValue> named = ConfiguredValue.of(Catalogue.SETTINGS, environment, root, new Problems());
        if (named.isEmpty()) {
            return NONE;
        }
        Path path;
        try {
            path = FilePath.parse(named.getFirst().text());
        } catch (MalformedValue _) {
            return NONE;
        }
        String text;
        try {
            text = ValueFile.readPossiblyEmpty(root.resolve(path), path);
        } catch (MalformedValue malformed) {
            malformed
                    .faults()
                    .forEach(fault -> problems.add(Problem.input(
                            Location.setting(named.getFirst().variable()), fault.message(), fault.hint())));
            return new SettingsFile(Optional.of(path), Map.of(), Map.of());
        }
        return parse(path, text, environment, problems);
    }

    private static SettingsFile parse(Path path, String text, Map<String, String> environment, Problems problems) {
        Map<String, String> variables = new LinkedHashMap<>();
        Map<String, Integer> lines = new HashMap<>();
        int number = 0;
        for (String raw : text.replaceFirst("^\uFEFF", "").split("\r?\n", -1)) {
            number++;
            String line = raw.stripLeading();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            int equals = line.indexOf('=');
            String name = equals < 0 ? line.stripTrailing() : line.substring(0, equals);
            Location location = Location.file(path, number, 0);
            if (name.isEmpty() || name.chars().anyMatch(Character::isWhitespace)) {
                // The text is not quoted, as it may be a part of a secret.
                problems.add(Problem.input(
                        location,
                        name.isEmpty() ? "has no name before the '='" : "has white space in the name of the variable",
                        "use NAME=value, without 'export' and without spaces around the '='"));
                continue;
            }
            if (equals < 0) {
                continue;
            }
            if (Catalogue.SETTINGS.names().contains(name)
                    || name.equals(Setting.fileVariable(Catalogue.SETTINGS.name()))) {
                problems.add(Problem.input(
                        location, name + " cannot be set in the file that it names", "set it in the environment"));
            } else if (!environment.getOrDefault(name, "").isBlank()) {
                if (!line.substring(equals + 1).equals(environment.get(name))) {
                    problems.add(Problem.note(
                            location,
                            name + " is set in the environment too, with another value, which takes precedence"));
                }
            } else {
                variables.put(name, line.substring(equals + 1));
                lines.put(name, number);
            }
        }
        return new SettingsFile(Optional.of(path), variables, lines);
    }

    /** Returns the environment with the variables of the file. */
    Map<String, String> addedTo(Map<String, String> environment) {
        Map<String, String> all = new HashMap<>(environment);
        all.putAll(variables);
        return all;
    }

    /** Returns a problem with the line of the file as its location, if it is a problem with a variable of the file. */
    Problem located(Problem problem) {
        if (problem.location() instanceof Location.Setting(String name) && lines.containsKey(name)) {
            return new Problem(
                    problem.kind(),
                    Location.file(path.orElseThrow(), lines.get(name), 0),
                    name + ": " + problem.message(),
                    problem.hint());
        }
        return problem;
    }
}
