package io.culvert.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.opentest4j.TestAbortedException;

/**
 * The programs that judge what is shipped as text, in the versions that {@code scripts/go-programs checks} and
 * {@code scripts/python-programs} pin.
 */
public final class ShippedTool {

    private ShippedTool() {}

    /**
     * Runs one of them to its end.
     *
     * @throws TestAbortedException where it could not be had
     */
    public static Outcome run(String name, String... arguments) {
        return run(Map.of(), name, arguments);
    }

    /** The same with variables more. */
    public static Outcome run(Map<String, String> environment, String name, String... arguments) {
        Path program = GoProgram.DIRECTORY.resolve(name);
        if (!Files.isExecutable(program)) {
            throw new TestAbortedException(
                    name + " is not here: scripts/go-programs checks and scripts/python-programs bring it");
        }
        List<String> command = new ArrayList<>(List.of("env"));
        environment.forEach((variable, value) -> command.add(variable + "=" + value));
        command.add(program.toString());
        command.addAll(List.of(arguments));
        return Outcome.of(command);
    }
}
