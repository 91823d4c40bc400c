// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.exitnode.ExitNodeApplication;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/** The command line. */
final class Commands {

    static final int WIDTH = 100;

    private final CommandEnvironment environment;

    Commands(CommandEnvironment environment) {
        this.environment = environment;
    }

    /** The program; without a command it runs {@code up}, the default in a container. */
    @Command(
            name = "culvert",
            description = {
                "Routes a Tailscale or WireGuard exit node through a WireGuard tunnel, with a kill switch.",
                "Without a command, 'up' is run."
            },
            footer = "Settings are environment variables; 'culvert up --help' lists them.")
    static final class Culvert extends CommandGroup {
        final CommandEnvironment environment;

        Culvert(CommandEnvironment environment) {
            this.environment = environment;
        }

        @Override
        List<Named> commands() {
            return List.of(
                    new Named("up", ExitNodeCommands.Up.class),
                    new Named("plan", ExitNodeCommands.Plan.class),
                    new Named("check", ExitNodeCommands.Check.class),
                    new Named("audit", ExitNodeCommands.Audit.class),
                    new Named("status", ExitNodeCommands.Status.class),
                    new Named("port", ExitNodeCommands.ForwardedPortCommand.class),
                    new Named("health", ExitNodeCommands.Health.class),
                    new Named("reload", ExitNodeCommands.Reload.class),
                    new Named("next", ExitNodeCommands.Next.class),
                    new Named("use", ExitNodeCommands.Use.class),
                    new Named("pause", ExitNodeCommands.Pause.class),
                    new Named("resume", ExitNodeCommands.Resume.class),
                    new Named("leak-test", ExitNodeCommands.LeakTestCommand.class),
                    new Named("tunnel", TunnelCommands.class),
                    new Named("mesh", MeshCommands.class),
                    new Named("exec", ConfinementCommands.Exec.class),
                    new Named("netns", ConfinementCommands.Netns.class));
        }

        @Override
        public Integer call() throws InterruptedException {
            return ExitNodeCommands.up(environment());
        }
    }

    /** Returns the command line with all commands. */
    CommandLine all() {
        return build(List.of(""));
    }

    /** Returns the command line with the commands that can be meant by these arguments. */
    CommandLine of(String... arguments) {
        boolean none = arguments.length == 0 || (arguments.length == 1 && arguments[0].equals("--version"));
        return build(none ? List.of("up") : List.of(arguments));
    }

    private CommandLine build(List<String> arguments) {
        Culvert culvert = new Culvert(environment);
        CommandLine line = new CommandLine(culvert);
        culvert.complete(line, arguments);
        return line.setUsageHelpWidth(WIDTH)
                .setParameterExceptionHandler(this::handleUsageError)
                .setExecutionExceptionHandler(ErrorReporter::handleFailure);
    }

    private int handleUsageError(ParameterException failure, String... arguments) {
        CommandLine line = failure.getCommandLine();
        // An unknown word may be meant as any command, an unknown option as one of 'up' only.
        boolean up = line.getCommandName().equals("up") && line.getParent().getParent() == null;
        boolean option = line.getParent() == null && arguments.length > 0 && arguments[0].startsWith("-");
        if (up || option) {
            ExitNodeApplication.refuseStart(environment.environment(line.getErr()));
        }
        return ErrorReporter.handleUsageError(failure, arguments);
    }
}
