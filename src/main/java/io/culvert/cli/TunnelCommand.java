package io.culvert.cli;

import io.culvert.exitnode.TunnelAlone;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code culvert tunnel}: wg-quick's job, on any machine. */
@Command(
        name = "tunnel",
        mixinStandardHelpOptions = true,
        description = "Does wg-quick's job on any machine: one tunnel from one file, without a mesh.",
        subcommands = {
            TunnelCommand.Up.class,
            TunnelCommand.Down.class,
            TunnelCommand.Show.class,
            TunnelCommand.Plan.class
        })
final class TunnelCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "Say what to do: up, down, show or plan.");
    }

    private static final String FILE = "A wg-quick file, or an interface name: then /etc/wireguard/NAME.conf is meant.";

    /** {@code culvert tunnel up FILE}. */
    @Command(name = "up", mixinStandardHelpOptions = true, description = "Raises the tunnel, all of it or nothing.")
    static final class Up implements Callable<Integer> {

        @Spec
        CommandSpec spec;

        @Option(names = "--kill-switch", description = "Let nothing out beside the tunnel until it is taken down.")
        boolean killSwitch;

        @Parameters(paramLabel = "FILE", description = FILE)
        String file;

        @Override
        public Integer call() {
            tunnel(spec).up(file, killSwitch);
            return 0;
        }
    }

    /** {@code culvert tunnel down FILE}. */
    @Command(name = "down", mixinStandardHelpOptions = true, description = "Takes the tunnel down; nothing is left.")
    static final class Down implements Callable<Integer> {

        @Spec
        CommandSpec spec;

        @Parameters(paramLabel = "FILE", description = FILE)
        String file;

        @Override
        public Integer call() {
            tunnel(spec).down(file);
            return 0;
        }
    }

    /** {@code culvert tunnel show [FILE]}. */
    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows tunnels, in the manner of 'wg show'.")
    static final class Show implements Callable<Integer> {

        @Spec
        CommandSpec spec;

        @Option(names = "--json", description = "Print JSON.")
        boolean json;

        @Parameters(paramLabel = "FILE", arity = "0..1", description = FILE + " Without it: all of them.")
        List<String> file = List.of();

        @Override
        public Integer call() {
            spec.commandLine().getOut().println(tunnel(spec).show(file.stream().findFirst(), json));
            return 0;
        }
    }

    /** {@code culvert tunnel plan FILE}. */
    @Command(
            name = "plan",
            mixinStandardHelpOptions = true,
            description = "Shows what 'up' would do, in the syntax of ip and nft. Changes nothing.")
    static final class Plan implements Callable<Integer> {

        @Spec
        CommandSpec spec;

        @Option(names = "--kill-switch", description = "Show the kill switch too.")
        boolean killSwitch;

        @Option(names = "--json", description = "Print JSON.")
        boolean json;

        @Parameters(paramLabel = "FILE", description = FILE)
        String file;

        @Override
        public Integer call() {
            spec.commandLine().getOut().println(tunnel(spec).plan(file, killSwitch, json));
            return 0;
        }
    }

    private static TunnelAlone tunnel(CommandSpec spec) {
        return new TunnelAlone(Console.surroundings(spec));
    }
}
