package io.culvert.cli;

import io.culvert.exitnode.ExitNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code culvert up}: the exit node, until SIGTERM. */
@Command(
        name = "up",
        mixinStandardHelpOptions = true,
        description = "Runs the exit node: guard, tunnel, mesh and proxy, until SIGTERM or SIGINT.",
        footer =
                "Exit status: 0 stopped when asked to, 1 failed, 2 the settings are wrong, 3 the machine lacks something.")
final class UpCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        return run(spec);
    }

    static int run(CommandSpec spec) throws InterruptedException {
        new ExitNode(Console.surroundings(spec)).run();
        return 0;
    }
}
