// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import java.util.List;
import picocli.CommandLine;

/** A command that has commands of its own. */
abstract class CommandGroup extends BaseCommand {

    record Named(String name, Class<? extends BaseCommand> type) {}

    /** Returns the commands in the order of the help. */
    abstract List<Named> commands();

    /**
     * Adds the commands below this one. If the arguments begin with the name of one, the others are left out: on the JVM,
     * reading the annotations of all takes longer than everything else before the command runs.
     *
     * @param arguments those after the name of this command
     */
    @Override
    void complete(CommandLine line, List<String> arguments) {
        List<Named> named = commands().stream()
                .filter(command -> !arguments.isEmpty() && command.name().equals(arguments.getFirst()))
                .toList();
        for (Named command : named.isEmpty() ? commands() : named) {
            CommandLine child = new CommandLine(command.type());
            line.addSubcommand(command.name(), child);
            child.<BaseCommand>getCommand()
                    .complete(child, named.isEmpty() ? List.of() : arguments.subList(1, arguments.size()));
        }
    }
}
