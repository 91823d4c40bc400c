package io.culvert.cli;

import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code culvert health}: for a container's health check. */
@Command(
        name = "health",
        mixinStandardHelpOptions = true,
        description = "Tells whether traffic passes through the tunnel and the guard holds.",
        footer = "Exit status: 0 when so, 1 when not.")
final class HealthCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() {
        StatusReport report = StatusSocket.ask(Console.surroundings(spec).statusSocket());
        spec.commandLine()
                .getOut()
                .println(
                        json
                                ? report.toJson().toString()
                                : report.healthy() ? "healthy" : "unhealthy: " + report.state());
        return report.healthy() ? 0 : 1;
    }
}
