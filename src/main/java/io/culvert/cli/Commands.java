package io.culvert.cli;

import static io.culvert.cli.Use.JSON;
import static io.culvert.cli.Use.KILL_SWITCH;

import io.culvert.exitnode.Checkup;
import io.culvert.exitnode.ExitNode;
import io.culvert.exitnode.Preview;
import io.culvert.status.HealthWait;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import io.culvert.tunnel.TunnelAlone;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Everything the program can be told to do. Written out for picocli instead of annotated: to find and read annotations took
 * half of the program's start, before the guard.
 */
final class Commands {

    private static final int WIDTH = 100;
    private static final String WAIT = "--wait";
    private static final String FILE = "A wg-quick file, or an interface name: then /etc/wireguard/NAME.conf is meant.";

    private final Console console;

    Commands(Console console) {
        this.console = console;
    }

    /** The whole command line; without a command it is {@code up}, as a container wants it. */
    CommandLine line() {
        CommandSpec culvert = command(
                        "culvert",
                        Commands::up,
                        "Raises a WireGuard tunnel, chains an exit node onto it, and never lets a packet out beside it.",
                        "Without a command: up.")
                .addSubcommand("up", upWithSettings())
                .addSubcommand(
                        "plan",
                        command(
                                        "plan",
                                        Commands::plan,
                                        "Shows what 'up' would do here, in the syntax of ip and nft. Changes nothing.")
                                .addOption(json()))
                .addSubcommand(
                        "check",
                        exits(
                                command(
                                                "check",
                                                Commands::check,
                                                "Checks the settings, the files, the machine, and what runs. Changes nothing.")
                                        .addOption(json()),
                                "0 all well, 1 what runs is not, 2 the settings are wrong, 3 the machine lacks something."))
                .addSubcommand(
                        "status",
                        exits(
                                command("status", Commands::status, "Shows the state of the chain that runs here.")
                                        .addOption(json()),
                                "0 when connected, 1 when not."))
                .addSubcommand(
                        "health",
                        exits(
                                command(
                                                "health",
                                                Commands::health,
                                                "Tells whether traffic passes through the tunnel and the guard holds.")
                                        .addOption(json())
                                        .addOption(OptionSpec.builder(WAIT)
                                                .paramLabel("SECONDS")
                                                .type(Integer.class)
                                                .description("Wait until it is so, this long at most.")
                                                .build()),
                                "0 when so, 1 when not."))
                .addSubcommand("tunnel", tunnel())
                .addSubcommand("mesh", NodeCommands.addTo(MeshCommands.spec()))
                .addSubcommand("exec", ConfinementCommands.exec())
                .addSubcommand("netns", ConfinementCommands.netns());
        culvert.usageMessage().footer("Settings are environment variables: 'culvert up --help' lists them.");
        return new CommandLine(culvert)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpWidth(WIDTH)
                .setParameterExceptionHandler(this::refuse)
                .setExecutionStrategy(this::execute)
                .setExecutionExceptionHandler(Failures::failed);
    }

    private CommandLine upWithSettings() {
        CommandLine up = new CommandLine(exits(
                command(
                        "up",
                        Commands::up,
                        "Runs the exit node: guard, tunnel, mesh and proxy, until SIGTERM or SIGINT."),
                "0 stopped when asked to, 1 failed, 2 the settings are wrong, 3 the machine lacks something."));
        // The settings are many, and of interest only to who asks for help.
        up.getHelpSectionMap()
                .put(
                        UsageMessageSpec.SECTION_KEY_FOOTER,
                        help -> help.footer()
                                + System.lineSeparator()
                                + SettingsHelp.lines(WIDTH).stream()
                                        .map(line -> line + System.lineSeparator())
                                        .collect(Collectors.joining()));
        return up;
    }

    /** wg-quick's job, on any machine. */
    private CommandSpec tunnel() {
        return command(
                        "tunnel",
                        use -> {
                            throw new ParameterException(
                                    use.given().commandSpec().commandLine(), "Say what to do: up, down, show or plan.");
                        },
                        "Does wg-quick's job on any machine: one tunnel from one file, without a mesh.")
                .addSubcommand(
                        "up",
                        command("up", Commands::tunnelUp, "Raises the tunnel, all of it or nothing.")
                                .addOption(
                                        flag(KILL_SWITCH, "Let nothing out beside the tunnel until it is taken down."))
                                .addPositional(file()))
                .addSubcommand(
                        "down",
                        command("down", Commands::tunnelDown, "Takes the tunnel down; nothing is left.")
                                .addPositional(file()))
                .addSubcommand(
                        "show",
                        command("show", Commands::tunnelShow, "Shows tunnels, in the manner of 'wg show'.")
                                .addOption(json())
                                .addPositional(file().toBuilder()
                                        .required(false)
                                        .arity("0..1")
                                        .description(FILE + " Without it: all of them.")
                                        .build()))
                .addSubcommand(
                        "plan",
                        command(
                                        "plan",
                                        Commands::tunnelPlan,
                                        "Shows what 'up' would do, in the syntax of ip and nft. Changes nothing.")
                                .addOption(flag(KILL_SWITCH, "Show the kill switch too."))
                                .addOption(json())
                                .addPositional(file()));
    }

    private static int up(Use use) throws InterruptedException {
        new ExitNode(use.around()).run();
        return 0;
    }

    private static int plan(Use use) {
        use.print(Preview.of(use.around()), Preview::text, Preview::json);
        return 0;
    }

    private static int check(Use use) {
        Checkup checkup = Checkup.of(use.around());
        use.print(checkup, Checkup::text, Checkup::toJson);
        return checkup.exitStatus();
    }

    private static int status(Use use) {
        StatusReport report = StatusSocket.ask(use.around().statusSocket());
        use.print(report, known -> known.text(use.around().clock().instant()), StatusReport::toJson);
        return report.healthy() ? 0 : 1;
    }

    private static int health(Use use) throws InterruptedException {
        StatusReport report;
        try {
            report = use.has(WAIT)
                    ? HealthWait.await(use.around().statusSocket(), Duration.ofSeconds(use.number(WAIT)))
                    : StatusSocket.ask(use.around().statusSocket());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        use.print(report, known -> known.healthy() ? "healthy" : "unhealthy: " + known.state(), StatusReport::toJson);
        return report.healthy() ? 0 : 1;
    }

    private static int tunnelUp(Use use) {
        new TunnelAlone(use.around()).up(use.file().orElseThrow(), use.has(KILL_SWITCH));
        return 0;
    }

    private static int tunnelDown(Use use) {
        new TunnelAlone(use.around()).down(use.file().orElseThrow());
        return 0;
    }

    private static int tunnelShow(Use use) {
        use.print(new TunnelAlone(use.around()).show(use.file(), use.has(JSON)));
        return 0;
    }

    private static int tunnelPlan(Use use) {
        use.print(new TunnelAlone(use.around()).plan(use.file().orElseThrow(), use.has(KILL_SWITCH), use.has(JSON)));
        return 0;
    }

    /** Its user object is what it does. */
    static CommandSpec command(String name, Use.Action action, String... description) {
        CommandSpec command = CommandSpec.wrapWithoutInspection(action)
                .name(name)
                .versionProvider(new Version())
                .addOption(OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("Show this help message and exit.")
                        .build())
                .addOption(OptionSpec.builder("-V", "--version")
                        .versionHelp(true)
                        .description("Print version information and exit.")
                        .build());
        command.usageMessage().description(description);
        return command;
    }

    private int refuse(ParameterException failure, String... arguments) {
        CommandLine line = failure.getCommandLine();
        // A word that is no command may be meant for anything, an option can only be meant for 'up'.
        boolean up = line.getCommandName().equals("up") && line.getParent().getParent() == null;
        boolean option = line.getParent() == null && arguments.length > 0 && arguments[0].startsWith("-");
        if (up || option) {
            ExitNode.refuse(console.surroundings(line.getErr()));
        }
        return Failures.wrongUse(failure, arguments);
    }

    private int execute(ParseResult given) {
        Integer helped = CommandLine.executeHelpRequest(given);
        if (helped != null) {
            return helped;
        }
        ParseResult last = given;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        CommandLine line = last.commandSpec().commandLine();
        try {
            return line.<Use.Action>getCommand().of(new Use(last, console.surroundings(line.getErr())));
        } catch (ParameterException e) {
            throw e;
        } catch (Exception e) {
            throw new ExecutionException(line, String.valueOf(e.getMessage()), e);
        }
    }

    static CommandSpec exits(CommandSpec command, String meanings) {
        command.usageMessage().footer("Exit status: " + meanings);
        return command;
    }

    static OptionSpec json() {
        return flag(JSON, "Print JSON.");
    }

    static OptionSpec flag(String name, String description) {
        return OptionSpec.builder(name).description(description).build();
    }

    private static PositionalParamSpec file() {
        return PositionalParamSpec.builder()
                .paramLabel("FILE")
                .type(String.class)
                .required(true)
                .arity("1")
                .description(FILE)
                .build();
    }
}
