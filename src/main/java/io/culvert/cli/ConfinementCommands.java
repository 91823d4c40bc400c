package io.culvert.cli;

import io.culvert.confinement.ConfinedProgram;
import io.culvert.confinement.Keeper;
import io.culvert.confinement.KeeperFailedException;
import io.culvert.confinement.Namespaces;
import io.culvert.confinement.Outside;
import io.culvert.confinement.ServiceManager;
import io.culvert.confinement.Wish;
import io.culvert.plan.GuardInput;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.OwnProgram;
import io.culvert.settings.Published;
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

    static CommandSpec exec() {
        CommandSpec exec = wish(Commands.command(
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
        return Commands.exits(
                exec,
                "that of the program; if it cannot be started: 1 failed, 2 invalid input, 3 the machine lacks a"
                        + " requirement, 126 the program cannot be executed, 127 the program was not found.");
    }

    static CommandSpec netns() {
        return Commands.command(
                        "netns",
                        use -> {
                            throw new ParameterException(
                                    use.given().commandSpec().commandLine(), "Missing command: up, down or list");
                        },
                        "Manages network namespaces whose only connection is a tunnel, for 'culvert exec' and"
                                + " services.")
                .addSubcommand(
                        "up",
                        wish(Commands.command(
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
                .addSubcommand(Namespaces.KEEP, keep());
    }

    /** Returns the command of the namespace daemon, which the other commands start in the background. */
    private static CommandSpec keep() {
        CommandSpec keep = wish(Commands.command(
                        Namespaces.KEEP,
                        ConfinementCommands::keep,
                        "Runs the daemon of a namespace; started by the other commands."))
                .addOption(hidden(OUTSIDE))
                .addOption(OptionSpec.builder(FOR)
                        .type(Long.class)
                        .description("The process for which the namespace is created.")
                        .build())
                .addPositional(name());
        keep.usageMessage().hidden(true);
        return keep;
    }

    private static int exec(Use use) throws InterruptedException {
        if (use.has(INSIDE)) {
            return goOn(use);
        }
        Optional<Path> file = Wish.file(use.around(), use.text(CONFIG));
        Optional<String> named = use.text(NETNS);
        // A namespace that exists needs no file, unless the command line names one.
        Optional<Wish> wish = named.isPresent() && use.text(CONFIG).isEmpty() && !use.has(ALLOW) && !use.has(FIREWALL)
                ? Optional.empty()
                : Optional.of(wish(use, file));
        String name = named.orElseGet(() -> wish.orElseThrow().name());
        try {
            return program(use).run(name, wish, use.text(USER));
        } catch (KeeperFailedException e) {
            return told(use, e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int goOn(Use use) {
        try {
            return program(use).goOn(use.text(INSIDE).orElseThrow());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ConfinedProgram program(Use use) throws IOException {
        return new ConfinedProgram(
                use.around(), own(use), namespaces(use), use.words().size());
    }

    private static int up(Use use) throws InterruptedException {
        Wish wish = wish(use, Wish.file(use.around(), use.text(CONFIG)));
        String name = use.file().orElseThrow();
        if (use.has(FOREGROUND)) {
            new Keeper(use.around(), name, wish, true, Optional.empty())
                    .run(OptionalLong.empty(), () -> ServiceManager.ready(use.around()));
            return 0;
        }
        try {
            namespaces(use).up(name, wish);
            return 0;
        } catch (KeeperFailedException e) {
            return told(use, e);
        }
    }

    private static int down(Use use) {
        namespaces(use).down(use.file().orElseThrow(), use.has(FORCE));
        return 0;
    }

    private static int list(Use use) {
        use.print(namespaces(use).list(use.has(Use.JSON)));
        return 0;
    }

    private static int keep(Use use) throws InterruptedException {
        Namespaces.detach();
        String name = use.file().orElseThrow();
        Wish wish = wish(use, Wish.file(use.around(), use.text(CONFIG)));
        Optional<Outside> outside = use.text(OUTSIDE).map(Outside::parse);
        if (outside.isEmpty()
                && namespaces(use).becomeRootlessKeeper(name, wish, use.given().originalArgs())) {
            return 1;
        }
        OptionalLong first =
                use.has(FOR) ? OptionalLong.of(use.given().<Long>matchedOptionValue(FOR, 0L)) : OptionalLong.empty();
        new Keeper(use.around(), name, wish, first.isEmpty(), outside).run(first, () -> {
            use.print("ready");
            use.given().commandSpec().commandLine().getOut().flush();
        });
        return 0;
    }

    private static int told(Use use, KeeperFailedException failure) {
        use.given().commandSpec().commandLine().getErr().println(failure.getMessage());
        use.given().commandSpec().commandLine().getErr().flush();
        return failure.exitStatus();
    }

    private static Namespaces namespaces(Use use) {
        return new Namespaces(use.around(), own(use));
    }

    private static OwnProgram own(Use use) {
        try {
            return OwnProgram.of(use.given().originalArgs().size());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Wish wish(Use use, Optional<Path> file) {
        return new Wish(
                file.orElseThrow(() -> new ProblemException(Problem.input(
                        new Place.CommandLine(CONFIG),
                        "not given, and /etc/wireguard does not contain exactly one WireGuard file",
                        "add --config FILE"))),
                use.text(ALLOW).stream()
                        .flatMap(ports -> Arrays.stream(ports.split(",", -1)))
                        .map(ConfinementCommands::port)
                        .toList(),
                use.text(FIREWALL).map(rules -> Path.of(rules).toAbsolutePath()));
    }

    private static GuardInput.Port port(String text) {
        try {
            Published port = Published.parse(text);
            return new GuardInput.Port(port.transport(), port.port());
        } catch (IllegalArgumentException e) {
            throw new ProblemException(Problem.input(
                    new Place.CommandLine(ALLOW), String.valueOf(e.getMessage()), "use a port such as 8080 or 53/udp"));
        }
    }

    private static CommandSpec wish(CommandSpec command) {
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
