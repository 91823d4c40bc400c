package io.culvert.cli;

import io.culvert.exitnode.Preview;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code culvert plan}: what {@code up} would do; changes nothing. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        description = "Shows what 'up' would do here, in the syntax of ip and nft. Changes nothing.")
final class PlanCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() {
        Preview preview = Preview.of(Console.surroundings(spec));
        spec.commandLine().getOut().println(json ? preview.json() : preview.text());
        return 0;
    }
}
