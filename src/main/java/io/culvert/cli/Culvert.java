package io.culvert.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The top of the command line; without a command it is {@code up}, as a container wants it. */
@Command(
        name = "culvert",
        mixinStandardHelpOptions = true,
        description = {
            "Raises a WireGuard tunnel, chains an exit node onto it, and never lets a packet out beside it.",
            "Without a command: up."
        },
        footer = "Settings are environment variables: 'culvert up --help' lists them.",
        subcommands = {
            UpCommand.class,
            PlanCommand.class,
            CheckCommand.class,
            StatusCommand.class,
            HealthCommand.class,
            TunnelCommand.class
        })
final class Culvert implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    private final Console console;

    Culvert() {
        this(Console.real());
    }

    Culvert(Console console) {
        this.console = console;
    }

    Console console() {
        return console;
    }

    @Override
    public Integer call() throws InterruptedException {
        return UpCommand.run(spec);
    }
}
