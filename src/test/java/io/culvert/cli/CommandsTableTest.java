// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.TextFile;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;

class CommandsTableTest {

    @Test
    void the_readme_contains_the_commands() {
        StringBuilder table = new StringBuilder("| command | description |\n|---|---|\n");
        rows(new Commands(CommandEnvironment.real()).all(), "", table);

        TextFile.assertRegion(Path.of("docs/commands.md"), "commands", table.toString());
    }

    private static void rows(CommandLine parent, String prefix, StringBuilder table) {
        parent.getSubcommands().forEach((name, command) -> {
            if (command.getCommandSpec().usageMessage().hidden()) {
                return; // For internal use only.
            }
            if (command.getSubcommands().isEmpty()) {
                String description =
                        String.join(" ", command.getCommandSpec().usageMessage().description());
                table.append("| `%s%s%s` | %s |\n".formatted(prefix, name, arguments(command), description));
            } else {
                rows(command, prefix + name + " ", table);
            }
        });
    }

    private static String arguments(CommandLine command) {
        return command.getCommandSpec().args().stream()
                .filter(argument -> !argument.hidden() && (!argument.isOption() || !isStandardOption(argument)))
                .map(CommandsTableTest::text)
                .collect(Collectors.joining());
    }

    private static boolean isStandardOption(ArgSpec argument) {
        return argument instanceof CommandLine.Model.OptionSpec option && (option.usageHelp() || option.versionHelp());
    }

    private static String text(ArgSpec argument) {
        String name = argument.paramLabel();
        if (argument instanceof CommandLine.Model.OptionSpec option) {
            name = option.longestName() + (option.arity().max() == 0 ? "" : " " + name);
        }
        return argument.required() ? " " + name : " [" + name + "]";
    }
}
