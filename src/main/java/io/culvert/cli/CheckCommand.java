package io.culvert.cli;

import io.culvert.exitnode.Checkup;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code culvert check}: settings, files, machine, and what runs. */
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = "Checks the settings, the files, the machine, and what runs. Changes nothing.",
        footer =
                "Exit status: 0 all well, 1 what runs is not, 2 the settings are wrong, 3 the machine lacks something.")
final class CheckCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() {
        Checkup checkup = Checkup.of(Console.surroundings(spec));
        spec.commandLine().getOut().println(json ? checkup.toJson().toString() : checkup.text());
        return checkup.exitStatus();
    }
}
