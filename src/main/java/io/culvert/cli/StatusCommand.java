package io.culvert.cli;

import io.culvert.exitnode.Surroundings;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code culvert status}: what the chain that runs here says of itself. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Shows the state of the chain that runs here.",
        footer = "Exit status: 0 when connected, 1 when not.")
final class StatusCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() {
        Surroundings surroundings = Console.surroundings(spec);
        StatusReport report = StatusSocket.ask(surroundings.statusSocket());
        spec.commandLine()
                .getOut()
                .println(
                        json
                                ? report.toJson().toString()
                                : report.text(surroundings.clock().instant()));
        return report.healthy() ? 0 : 1;
    }
}
