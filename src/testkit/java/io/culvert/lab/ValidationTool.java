// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.opentest4j.TestAbortedException;

/**
 * The programs that validate the shipped configuration files, in the versions pinned by {@code scripts/go-programs checks} and
 * {@code scripts/python-programs}.
 */
public final class ValidationTool {

    private ValidationTool() {}

    /**
     * Runs one of them and returns its result.
     *
     * @throws TestAbortedException if it is not installed
     */
    public static CommandResult run(String name, String... arguments) {
        return run(Map.of(), name, arguments);
    }

    /** Runs one of them with additional environment variables. */
    public static CommandResult run(Map<String, String> environment, String name, String... arguments) {
        Path program = GoProgram.DIRECTORY.resolve(name);
        if (!Files.isExecutable(program)) {
            throw new TestAbortedException(
                    name + " does not exist: run scripts/go-programs checks and scripts/python-programs");
        }
        List<String> command = new ArrayList<>(List.of("env"));
        environment.forEach((variable, value) -> command.add(variable + "=" + value));
        command.add(program.toString());
        command.addAll(List.of(arguments));
        return CommandResult.of(command);
    }
}
