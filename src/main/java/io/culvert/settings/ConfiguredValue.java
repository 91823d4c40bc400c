// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.settings.MalformedValue.Fault;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The text of a setting as the user wrote it, in the variable itself or in a file. An empty variable counts as unset,
 * because compose passes unset variables so.
 */
record ConfiguredValue(Origin origin, String variable, String text) {

    /** Returns all texts given for a setting, one for each name in use. */
    static List<ConfiguredValue> of(
            Setting<?> setting, Map<String, String> environment, FileRoot root, Problems problems) {
        List<ConfiguredValue> values = new ArrayList<>();
        for (String name : setting.names()) {
            boolean alias = !name.equals(setting.name());
            String fileVariable = Setting.fileVariable(name);
            Optional<String> value = text(environment, name, setting.secret());
            Optional<String> path = text(environment, fileVariable, false);
            value.ifPresent(text -> values.add(new ConfiguredValue(new Origin.Variable(name, alias), name, text)));
            if (value.isPresent() && path.isPresent()) {
                problems.add(Problem.input(
                        Location.setting(name), "cannot be combined with " + fileVariable, "set only one of them"));
            } else if (path.isPresent()) {
                readFile(setting, fileVariable, path.get(), alias, root, problems)
                        .ifPresent(values::add);
            }
        }
        return values;
    }

    /** Returns the name of the first variable in use for a setting, whether its value is valid or not. */
    static Optional<String> firstVariable(Setting<?> setting, Map<String, String> environment) {
        return setting.names().stream()
                .flatMap(name -> Stream.of(name, Setting.fileVariable(name)))
                .filter(name -> text(environment, name, setting.secret()).isPresent())
                .findFirst();
    }

    private static Optional<ConfiguredValue> readFile(
            Setting<?> setting, String variable, String path, boolean alias, FileRoot root, Problems problems) {
        try {
            Path file = FilePath.parsePossibleSecret(path);
            String text = ValueFile.read(root.resolve(file), file);
            return Optional.of(new ConfiguredValue(
                    new Origin.File(variable, file, alias), variable, setting.secret() ? text : text.strip()));
        } catch (MalformedValue malformed) {
            malformed.faults().forEach(fault -> problems.add(problem(variable, fault)));
            return Optional.empty();
        }
    }

    /** Returns the problem for a fault in this text, with the path of the file that contains it. */
    Problem problem(Fault fault) {
        String in = origin instanceof Origin.File file ? file.path() + ": " : "";
        return problem(variable, new Fault(in + fault.message(), fault.hint()));
    }

    private static Problem problem(String variable, Fault fault) {
        return Problem.input(Location.setting(variable), fault.message(), fault.hint());
    }

    private static Optional<String> text(Map<String, String> environment, String name, boolean verbatim) {
        return Optional.ofNullable(environment.get(name))
                .map(text -> verbatim ? text : text.strip())
                .filter(text -> !text.isEmpty());
    }
}
