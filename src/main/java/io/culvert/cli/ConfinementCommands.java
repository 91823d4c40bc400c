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
import io.culvert.process.OwnProgram;
import io.culvert.requirements.ResolverWait;
import io.culvert.runtime.ServiceManager;
import io.culvert.settings.PublishedPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands {@code exec} and {@code netns}, for programs that can reach nothing but a tunnel. */
final class ConfinementCommands {

    private static final String CONFIG = "--config";
    private static final String ALLOW = "--allow-inbound";

    private static final String NAME = "The name of the namespace, as shown by 'ip netns'.";

    private ConfinementCommands() {}

    /** A command that may have to create a namespace. */
    abstract static class RequestCommand extends BaseCommand {
        @Option(
                names = CONFIG,
                paramLabel = "FILE",
                description =
                        "A wg-quick file, or the name of one in /etc/wireguard. Default: CULVERT_WIREGUARD_CONFIG, or the only file in /etc/wireguard.")
        Optional<String> config;

        @Option(
                names = ALLOW,
                paramLabel = "PORTS",
                description = "Ports of programs inside that are reachable through the tunnel, such as 8080,53/udp.")
        Optional<String> allowInbound;

        @Option(
                names = "--firewall",
                paramLabel = "FILE",
                description = "A file with additional nftables rules for the namespace.")
        Optional<String> firewall;

        /** @throws ProblemException if no WireGuard file is given or found */
        NamespaceRequest request() {
            return new NamespaceRequest(
                    NamespaceRequest.findConfig(environment(), config)
                            .orElseThrow(() -> new ProblemException(Problem.input(
                                    new Location.CommandLine(CONFIG),
                                    "not given, and /etc/wireguard does not contain exactly one WireGuard file",
                                    "add --config FILE"))),
                    allowInbound.stream()
                            .flatMap(ports -> Arrays.stream(ports.split(",", -1)))
                            .map(ConfinementCommands::port)
                            .toList(),
                    firewall.map(rules -> Path.of(rules).toAbsolutePath()));
        }
    }

    @Command(
            description = {
                "Runs a program in a network namespace whose only connection is a tunnel.",
                "The namespace is created for its first program and deleted after its last one."
            },
            footer =
                    "Exit status: that of the program; if it cannot be started: 1 failed, 2 invalid input, 3 the machine lacks a requirement, 126 the program cannot be executed, 127 the program was not found.")
    static final class Exec extends RequestCommand {
        @Option(
                names = "--netns",
                paramLabel = "NAME",
                description = "The name of the namespace. Default: that of the WireGuard file.")
        private Optional<String> netns;

        @Option(
                names = "--user",
                paramLabel = "NAME",
                description = "Run the program as this user, such as 'sudo culvert exec --user \"$SUDO_USER\"'.")
        private Optional<String> user;

        /** Passed by this program when it starts itself again in a user namespace. */
        @Option(names = "--inside", hidden = true)
        private Optional<String> inside;

        @Parameters(
                paramLabel = "PROGRAM",
                arity = "1..*",
                description = "The program and its arguments, optionally after '--'.")
        private List<String> program;

        /** What follows the program's name are its own arguments. */
        @Override
        void complete(CommandLine line, List<String> arguments) {
            line.setStopAtPositional(true);
        }

        @Override
        public Integer call() throws InterruptedException {
            try {
                if (inside.isPresent()) {
                    return confinedProgram().runInsideUserNamespace(inside.get());
                }
                // A namespace that exists needs no file, unless the command line names one.
                Optional<NamespaceRequest> request =
                        netns.isPresent() && config.isEmpty() && allowInbound.isEmpty() && firewall.isEmpty()
                                ? Optional.empty()
                                : Optional.of(request());
                String name = netns.orElseGet(() -> request.orElseThrow().defaultName());
                return confinedProgram().run(name, request, user);
            } catch (DaemonFailedException e) {
                return printFailure(this, e);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private ConfinedProgram confinedProgram() throws IOException {
            return new ConfinedProgram(environment(), ownProgram(this), namespaces(this), program.size());
        }
    }

    @Command(
            description =
                    "Manages network namespaces whose only connection is a tunnel, for 'culvert exec' and services.")
    static final class Netns extends CommandGroup {
        @Override
        List<Named> commands() {
            return List.of(
                    new Named("up", Up.class),
                    new Named("down", Down.class),
                    new Named("list", ListNamespaces.class),
                    new Named(Namespaces.DAEMON_COMMAND, Keep.class));
        }

        @Override
        public Integer call() {
            throw usageError("Missing command: up, down or list");
        }
    }

    @Command(description = "Creates a namespace, which stays until 'culvert netns down'.")
    static final class Up extends RequestCommand {
        @Option(
                names = "--foreground",
                description =
                        "Stay in the foreground until SIGTERM, and notify systemd (Type=notify) when it is ready.")
        private boolean foreground;

        @Parameters(paramLabel = "NAME", arity = "1", description = NAME)
        private String name;

        @Override
        public Integer call() throws InterruptedException {
            NamespaceRequest request = request();
            if (foreground) {
                new NamespaceDaemon(environment(), name, request, true, Optional.empty())
                        .run(
                                OptionalLong.empty(),
                                new ResolverWait(environment().log(), () -> {}),
                                ServiceManager.of(environment())::ready);
                return 0;
            }
            try {
                namespaces(this).up(name, request);
                return 0;
            } catch (DaemonFailedException e) {
                return printFailure(this, e);
            }
        }
    }

    @Command(description = "Deletes a namespace.")
    static final class Down extends BaseCommand {
        @Option(names = "--force", description = "Delete it even if programs run in it. They lose all network access.")
        private boolean force;

        @Parameters(paramLabel = "NAME", arity = "1", description = NAME)
        private String name;

        @Override
        public Integer call() {
            namespaces(this).down(name, force);
            return 0;
        }
    }

    @Command(description = "Lists the namespaces and the programs in them.")
    static final class ListNamespaces extends BaseCommand {
        @Mixin
        private JsonOption json;

        @Override
        public Integer call() {
            print(namespaces(this).list(json.isGiven()));
            return 0;
        }
    }

    /** The command of the namespace daemon, which the other commands start in the background. */
    @Command(description = "Runs the daemon of a namespace; started by the other commands.", hidden = true)
    static final class Keep extends RequestCommand {
        @Option(names = "--outside", hidden = true)
        private Optional<String> outside;

        @Option(names = "--for", paramLabel = "PID", description = "The process for which the namespace is created.")
        private Optional<Long> process;

        @Parameters(paramLabel = "NAME", arity = "1", description = NAME)
        private String name;

        @Override
        public Integer call() throws InterruptedException {
            Namespaces.detachFromTerminal();
            NamespaceRequest request = request();
            Optional<OuterSockets> sockets = outside.map(OuterSockets::parse);
            ResolverWait wait = new ResolverWait(environment().log(), () -> printLine(Namespaces.WAITING));
            // The command that started this daemon may be interrupted while it waits; later it has exited normally.
            ProcessHandle.current().parent().ifPresent(parent -> {
                var _ = parent.onExit().thenRun(wait::stop);
            });
            if (sockets.isEmpty() && namespaces(this).becomeRootlessDaemon(name, request, wait, programArguments())) {
                return 1;
            }
            OptionalLong first = process.map(OptionalLong::of).orElseGet(OptionalLong::empty);
            new NamespaceDaemon(environment(), name, request, first.isEmpty(), sockets)
                    .run(first, wait, () -> printLine(Namespaces.READY));
            return 0;
        }

        private void printLine(String line) {
            print(line);
            flush();
        }
    }

    private static int printFailure(BaseCommand command, DaemonFailedException failure) {
        command.err().println(failure.getMessage());
        command.err().flush();
        return failure.exitStatus();
    }

    private static Namespaces namespaces(BaseCommand command) {
        return new Namespaces(command.environment(), ownProgram(command));
    }

    private static OwnProgram ownProgram(BaseCommand command) {
        try {
            return OwnProgram.ofThisProcess(command.programArguments().size());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
}
