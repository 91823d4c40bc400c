// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.net.Port;
import io.culvert.netns.ConfinedProgram;
import io.culvert.netns.DaemonFailedException;
import io.culvert.netns.NamespaceDaemon;
import io.culvert.netns.NamespaceRequest;
import io.culvert.netns.Namespaces;
import io.culvert.netns.OuterSockets;
import io.culvert.netns.SystemdNotify;
import io.culvert.process.OwnProgram;
import io.culvert.settings.PublishedPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/** The commands {@code exec} and {@code netns}, for programs that can reach nothing but a tunnel. */
final class ConfinementCommands {

    private static final String CONFIG = "--config";
    private static final String NETNS = "--netns";
    private static final String ALLOW = "--allow-inbound";
    private static final String FIREWALL = "--firewall";
    private static final String USER = "--user";
    private static final String FORCE = "--force";
    private static final String FOREGROUND = "--foreground";
    private static final String FOR = "--for";
    private static final String OUTSIDE = "--outside";
    private static final String INSIDE = "--inside";

    private ConfinementCommands() {}

    static CommandSpec execCommand() {
        CommandSpec exec = withRequestOptions(Commands.command(
                        "exec",
                        ConfinementCommands::exec,
                        "Runs a program in a network namespace whose only connection is a tunnel.",
                        "The namespace is created for its first program and deleted after its last one."))
                .addOption(text(NETNS, "NAME", "The name of the namespace. Default: that of the WireGuard file."))
                .addOption(text(
                        USER,
                        "NAME",
                        "Run the program as this user, such as 'sudo culvert exec --user \"$SUDO_USER\"'."))
                .addOption(hidden(INSIDE))
                .addPositional(PositionalParamSpec.builder()
                        .paramLabel("PROGRAM")
                        .type(List.class)
                        .auxiliaryTypes(String.class)
                        .required(true)
                        .arity("1..*")
                        .description("The program and its arguments, optionally after '--'.")
                        .build());
        exec.parser().stopAtPositional(true);
        return Commands.withExitStatus(
                exec,
                "that of the program; if it cannot be started: 1 failed, 2 invalid input, 3 the machine lacks a"
                        + " requirement, 126 the program cannot be executed, 127 the program was not found.");
    }

    static CommandSpec netnsCommand() {
        return Commands.command(
                        "netns",
                        invocation -> {
                            throw new ParameterException(
                                    invocation.parsed().commandSpec().commandLine(),
                                    "Missing command: up, down or list");
                        },
                        "Manages network namespaces whose only connection is a tunnel, for 'culvert exec' and"
                                + " services.")
                .addSubcommand(
                        "up",
                        withRequestOptions(Commands.command(
                                        "up",
                                        ConfinementCommands::up,
                                        "Creates a namespace, which stays until" + " 'culvert netns down'."))
                                .addOption(Commands.flag(
                                        FOREGROUND,
                                        "Stay in the foreground until SIGTERM, and notify systemd"
                                                + " (Type=notify) when it is ready."))
                                .addPositional(name()))
                .addSubcommand(
                        "down",
                        Commands.command("down", ConfinementCommands::down, "Deletes a namespace.")
                                .addOption(Commands.flag(
                                        FORCE, "Delete it even if programs run in it. They lose all network access."))
                                .addPositional(name()))
                .addSubcommand(
                        "list",
                        Commands.command(
                                        "list",
                                        ConfinementCommands::list,
                                        "Lists the namespaces and the programs in" + " them.")
                                .addOption(Commands.json()))
                .addSubcommand(Namespaces.DAEMON_COMMAND, daemonCommand());
    }

    /** Returns the command of the namespace daemon, which the other commands start in the background. */
    private static CommandSpec daemonCommand() {
        CommandSpec daemon = withRequestOptions(Commands.command(
                        Namespaces.DAEMON_COMMAND,
                        ConfinementCommands::runDaemon,
                        "Runs the daemon of a namespace; started by the other commands."))
                .addOption(hidden(OUTSIDE))
                .addOption(OptionSpec.builder(FOR)
                        .type(Long.class)
                        .description("The process for which the namespace is created.")
                        .build())
                .addPositional(name());
        daemon.usageMessage().hidden(true);
        return daemon;
    }

    private static int exec(Invocation invocation) throws InterruptedException {
        if (invocation.has(INSIDE)) {
            return runInsideUserNamespace(invocation);
        }
        Optional<Path> file = NamespaceRequest.findConfig(invocation.environment(), invocation.option(CONFIG));
        Optional<String> requestedName = invocation.option(NETNS);
        // A namespace that exists needs no file, unless the command line names one.
        Optional<NamespaceRequest> request = requestedName.isPresent()
                        && invocation.option(CONFIG).isEmpty()
                        && !invocation.has(ALLOW)
                        && !invocation.has(FIREWALL)
                ? Optional.empty()
                : Optional.of(request(invocation, file));
        String name = requestedName.orElseGet(() -> request.orElseThrow().defaultName());
        try {
            return program(invocation).run(name, request, invocation.option(USER));
        } catch (DaemonFailedException e) {
            return printFailure(invocation, e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int runInsideUserNamespace(Invocation invocation) {
        try {
            return program(invocation)
                    .runInsideUserNamespace(invocation.option(INSIDE).orElseThrow());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ConfinedProgram program(Invocation invocation) throws IOException {
        return new ConfinedProgram(
                invocation.environment(),
                ownProgram(invocation),
                namespaces(invocation),
                invocation.arguments().size());
    }

    private static int up(Invocation invocation) throws InterruptedException {
        NamespaceRequest request =
                request(invocation, NamespaceRequest.findConfig(invocation.environment(), invocation.option(CONFIG)));
        String name = invocation.firstArgument().orElseThrow();
        if (invocation.has(FOREGROUND)) {
            new NamespaceDaemon(invocation.environment(), name, request, true, Optional.empty())
                    .run(OptionalLong.empty(), () -> SystemdNotify.notifyReady(invocation.environment()));
            return 0;
        }
        try {
            namespaces(invocation).up(name, request);
            return 0;
        } catch (DaemonFailedException e) {
            return printFailure(invocation, e);
        }
    }

    private static int down(Invocation invocation) {
        namespaces(invocation).down(invocation.firstArgument().orElseThrow(), invocation.has(FORCE));
        return 0;
    }

    private static int list(Invocation invocation) {
        invocation.print(namespaces(invocation).list(invocation.has(Invocation.JSON)));
        return 0;
    }

    private static int runDaemon(Invocation invocation) throws InterruptedException {
        Namespaces.detachFromTerminal();
        String name = invocation.firstArgument().orElseThrow();
        NamespaceRequest request =
                request(invocation, NamespaceRequest.findConfig(invocation.environment(), invocation.option(CONFIG)));
        Optional<OuterSockets> outside = invocation.option(OUTSIDE).map(OuterSockets::parse);
        if (outside.isEmpty()
                && namespaces(invocation)
                        .becomeRootlessDaemon(name, request, invocation.parsed().originalArgs())) {
            return 1;
        }
        OptionalLong first = invocation.has(FOR)
                ? OptionalLong.of(invocation.parsed().<Long>matchedOptionValue(FOR, 0L))
                : OptionalLong.empty();
        new NamespaceDaemon(invocation.environment(), name, request, first.isEmpty(), outside).run(first, () -> {
            invocation.print("ready");
            invocation.parsed().commandSpec().commandLine().getOut().flush();
        });
        return 0;
    }

    private static int printFailure(Invocation invocation, DaemonFailedException failure) {
        invocation.parsed().commandSpec().commandLine().getErr().println(failure.getMessage());
        invocation.parsed().commandSpec().commandLine().getErr().flush();
        return failure.exitStatus();
    }

    private static Namespaces namespaces(Invocation invocation) {
        return new Namespaces(invocation.environment(), ownProgram(invocation));
    }

    private static OwnProgram ownProgram(Invocation invocation) {
        try {
            return OwnProgram.ofThisProcess(invocation.parsed().originalArgs().size());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static NamespaceRequest request(Invocation invocation, Optional<Path> file) {
        return new NamespaceRequest(
                file.orElseThrow(() -> new ProblemException(Problem.input(
                        new Location.CommandLine(CONFIG),
                        "not given, and /etc/wireguard does not contain exactly one WireGuard file",
                        "add --config FILE"))),
                invocation.option(ALLOW).stream()
                        .flatMap(ports -> Arrays.stream(ports.split(",", -1)))
                        .map(ConfinementCommands::port)
                        .toList(),
                invocation.option(FIREWALL).map(rules -> Path.of(rules).toAbsolutePath()));
    }

    private static Port port(String text) {
        try {
            return PublishedPort.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ProblemException(Problem.input(
                    new Location.CommandLine(ALLOW),
                    String.valueOf(e.getMessage()),
                    "use a port such as 8080 or 53/udp"));
        }
    }

    private static CommandSpec withRequestOptions(CommandSpec command) {
        return command.addOption(text(
                        CONFIG,
                        "FILE",
                        "A wg-quick file, or the name of one in /etc/wireguard. Default: CULVERT_WIREGUARD_CONFIG,"
                                + " or the only file in /etc/wireguard."))
                .addOption(text(
                        ALLOW,
                        "PORTS",
                        "Ports of programs inside that are reachable through the tunnel, such as 8080,53/udp."))
                .addOption(text(FIREWALL, "FILE", "A file with additional nftables rules for the namespace."));
    }

    private static OptionSpec text(String name, String label, String description) {
        return OptionSpec.builder(name)
                .paramLabel(label)
                .type(String.class)
                .description(description)
                .build();
    }

    /** Returns an option that this program passes to itself when it starts itself again elsewhere. */
    private static OptionSpec hidden(String name) {
        return OptionSpec.builder(name).type(String.class).hidden(true).build();
    }

    private static PositionalParamSpec name() {
        return PositionalParamSpec.builder()
                .paramLabel("NAME")
                .type(String.class)
                .required(true)
                .arity("1")
                .description("The name of the namespace, as shown by 'ip netns'.")
                .build();
    }
}
