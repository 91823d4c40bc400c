// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import static io.culvert.cli.Invocation.JSON;
import static io.culvert.cli.Invocation.KILL_SWITCH;

import io.culvert.exitnode.ExitNodeApplication;
import io.culvert.exitnode.ExitNodeCheck;
import io.culvert.exitnode.PlanPreview;
import io.culvert.status.HealthWait;
import io.culvert.status.StatusReport;
import io.culvert.status.StatusSocket;
import io.culvert.tunnel.StandaloneTunnel;
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
 * The command line. Built for picocli in code instead of annotations: to find and read annotations took half of the
 * program's start, before the kill switch is active.
 */
final class Commands {

    private static final int WIDTH = 100;
    private static final String WAIT = "--wait";
    private static final String FILE =
            "A wg-quick file, or the name of an interface, whose file is" + " /etc/wireguard/NAME.conf.";

    private final CommandEnvironment context;

    Commands(CommandEnvironment context) {
        this.context = context;
    }

    /** Returns the command line; without a command it runs {@code up}, the default in a container. */
    CommandLine build() {
        CommandSpec culvert = command(
                        "culvert",
                        Commands::up,
                        "Routes a Tailscale or WireGuard exit node through a WireGuard tunnel, with a kill switch.",
                        "Without a command, 'up' is run.")
                .addSubcommand("up", upCommand())
                .addSubcommand(
                        "plan",
                        command(
                                        "plan",
                                        Commands::plan,
                                        "Shows what 'up' would configure, in the syntax of ip and nft. Changes"
                                                + " nothing.")
                                .addOption(json()))
                .addSubcommand(
                        "check",
                        withExitStatus(
                                command(
                                                "check",
                                                Commands::check,
                                                "Checks the settings, the files, the machine and the running exit node."
                                                        + " Changes nothing.")
                                        .addOption(json()),
                                "0 no errors, 1 the running exit node has a problem, 2 invalid settings, 3 the machine"
                                        + " lacks a requirement."))
                .addSubcommand(
                        "status",
                        withExitStatus(
                                command("status", Commands::status, "Shows the status of the running exit node.")
                                        .addOption(json()),
                                "0 connected, 1 not connected."))
                .addSubcommand(
                        "health",
                        withExitStatus(
                                command(
                                                "health",
                                                Commands::health,
                                                "Checks whether the tunnel works and the kill switch is active.")
                                        .addOption(json())
                                        .addOption(OptionSpec.builder(WAIT)
                                                .paramLabel("SECONDS")
                                                .type(Integer.class)
                                                .description("Wait up to SECONDS until the exit node is healthy.")
                                                .build()),
                                "0 healthy, 1 unhealthy."))
                .addSubcommand("tunnel", tunnelCommands())
                .addSubcommand("mesh", NodeCommands.addTo(MeshCommands.spec()))
                .addSubcommand("exec", ConfinementCommands.execCommand())
                .addSubcommand("netns", ConfinementCommands.netnsCommand());
        culvert.usageMessage().footer("Settings are environment variables; 'culvert up --help' lists them.");
        return new CommandLine(culvert)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpWidth(WIDTH)
                .setParameterExceptionHandler(this::handleUsageError)
                .setExecutionStrategy(this::execute)
                .setExecutionExceptionHandler(ErrorReporter::handleFailure);
    }

    private CommandLine upCommand() {
        CommandLine up = new CommandLine(withExitStatus(
                command(
                        "up",
                        Commands::up,
                        "Runs the exit node: kill switch, tunnel, Tailscale or WireGuard clients, and SOCKS5 proxy, until SIGTERM or SIGINT."),
                "0 stopped by a signal, 1 failed, 2 invalid settings, 3 the machine lacks a requirement."));
        // The list of settings is long, so it is made only when help is requested.
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

    /** Returns the commands for a tunnel on any machine, as of wg-quick. */
    private CommandSpec tunnelCommands() {
        return command(
                        "tunnel",
                        invocation -> {
                            throw new ParameterException(
                                    invocation.parsed().commandSpec().commandLine(),
                                    "Missing command: up, down, show or plan");
                        },
                        "Manages a WireGuard tunnel from a wg-quick file, without an exit node.")
                .addSubcommand(
                        "up",
                        command("up", Commands::tunnelUp, "Brings a tunnel up. If a step fails, nothing is changed.")
                                .addOption(flag(
                                        KILL_SWITCH, "Block all traffic outside the tunnel until it is brought down."))
                                .addPositional(file()))
                .addSubcommand(
                        "down",
                        command(
                                        "down",
                                        Commands::tunnelDown,
                                        "Brings a tunnel down and removes everything that 'up' configured.")
                                .addPositional(file()))
                .addSubcommand(
                        "show",
                        command("show", Commands::tunnelShow, "Shows tunnels, in the format of 'wg show'.")
                                .addOption(json())
                                .addPositional(file().toBuilder()
                                        .required(false)
                                        .arity("0..1")
                                        .description(FILE + " Default: all tunnels.")
                                        .build()))
                .addSubcommand(
                        "plan",
                        command(
                                        "plan",
                                        Commands::tunnelPlan,
                                        "Shows what 'up' would configure, in the syntax of ip and nft. Changes"
                                                + " nothing.")
                                .addOption(flag(KILL_SWITCH, "Include the kill switch."))
                                .addOption(json())
                                .addPositional(file()));
    }

    private static int up(Invocation invocation) throws InterruptedException {
        new ExitNodeApplication(invocation.environment()).run();
        return 0;
    }

    private static int plan(Invocation invocation) {
        invocation.print(PlanPreview.of(invocation.environment()), PlanPreview::text, PlanPreview::json);
        return 0;
    }

    private static int check(Invocation invocation) {
        ExitNodeCheck result = ExitNodeCheck.of(invocation.environment());
        invocation.print(result, ExitNodeCheck::text, ExitNodeCheck::toJson);
        return result.exitStatus();
    }

    private static int status(Invocation invocation) {
        StatusReport report = StatusSocket.query(invocation.environment().statusSocket());
        invocation.print(
                report, status -> status.text(invocation.environment().clock().instant()), StatusReport::toJson);
        return report.healthy() ? 0 : 1;
    }

    private static int health(Invocation invocation) throws InterruptedException {
        StatusReport report;
        try {
            report = invocation.has(WAIT)
                    ? HealthWait.await(
                            invocation.environment().statusSocket(), Duration.ofSeconds(invocation.intOption(WAIT)))
                    : StatusSocket.query(invocation.environment().statusSocket());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        invocation.print(
                report, status -> status.healthy() ? "healthy" : "unhealthy: " + status.state(), StatusReport::toJson);
        return report.healthy() ? 0 : 1;
    }

    private static int tunnelUp(Invocation invocation) {
        new StandaloneTunnel(invocation.environment())
                .up(invocation.firstArgument().orElseThrow(), invocation.has(KILL_SWITCH));
        return 0;
    }

    private static int tunnelDown(Invocation invocation) {
        new StandaloneTunnel(invocation.environment())
                .down(invocation.firstArgument().orElseThrow());
        return 0;
    }

    private static int tunnelShow(Invocation invocation) {
        invocation.print(
                new StandaloneTunnel(invocation.environment()).show(invocation.firstArgument(), invocation.has(JSON)));
        return 0;
    }

    private static int tunnelPlan(Invocation invocation) {
        invocation.print(new StandaloneTunnel(invocation.environment())
                .plan(invocation.firstArgument().orElseThrow(), invocation.has(KILL_SWITCH), invocation.has(JSON)));
        return 0;
    }

    /** Returns a command whose user object is its action. */
    static CommandSpec command(String name, Invocation.Action action, String... description) {
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

    private int handleUsageError(ParameterException failure, String... arguments) {
        CommandLine line = failure.getCommandLine();
        // An unknown word may be meant as any command, an unknown option as one of 'up' only.
        boolean up = line.getCommandName().equals("up") && line.getParent().getParent() == null;
        boolean option = line.getParent() == null && arguments.length > 0 && arguments[0].startsWith("-");
        if (up || option) {
            ExitNodeApplication.refuseStart(context.environment(line.getErr()));
        }
        return ErrorReporter.handleUsageError(failure, arguments);
    }

    private int execute(ParseResult parsed) {
        Integer helpStatus = CommandLine.executeHelpRequest(parsed);
        if (helpStatus != null) {
            return helpStatus;
        }
        ParseResult last = parsed;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        CommandLine line = last.commandSpec().commandLine();
        try {
            return line.<Invocation.Action>getCommand().run(new Invocation(last, context.environment(line.getErr())));
        } catch (ParameterException e) {
            throw e;
        } catch (Exception e) {
            throw new ExecutionException(line, String.valueOf(e.getMessage()), e);
        }
    }

    static CommandSpec withExitStatus(CommandSpec command, String statuses) {
        command.usageMessage().footer("Exit status: " + statuses);
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
