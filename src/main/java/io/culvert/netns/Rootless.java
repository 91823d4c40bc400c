// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.Problems;
import io.culvert.linux.Account;
import io.culvert.linux.Capabilities;
import io.culvert.linux.HostLookup;
import io.culvert.linux.InheritedSocket;
import io.culvert.linux.ProcessReplacement;
import io.culvert.linux.Sysctl;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.plan.NamespacePlan;
import io.culvert.process.OwnProgram;
import io.culvert.process.ProgramDirectories;
import io.culvert.requirements.ResolverWait;
import io.culvert.requirements.TunnelFile;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.RouteLookup;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.runtime.MachineLock;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Confinement for users other than root, where they can create user namespaces. A process with several threads, such as
 * a Java program, can neither create nor enter one; so this process becomes {@code unshare} or {@code nsenter} of
 * util-linux, which then becomes this program again inside.
 *
 * <p>The daemon is root in its own user namespace with its own network namespace, in which the tunnel's link is
 * created; from there it is moved to the programs' namespace. Of the machine's network the daemon only has sockets that
 * were opened before.
 */
final class Rootless {

    private Rootless() {}

    /** Returns whether this process needs a user namespace to create other namespaces. */
    static boolean isNeeded(Environment environment) {
        try {
            return !Capabilities.read(environment.root().resolve("proc")).has(Capabilities.SYS_ADMIN);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the runtime directory of this user. */
    static Path runtimeDirectory(Environment environment) {
        return Optional.ofNullable(environment.variables().get("XDG_RUNTIME_DIR"))
                .map(Path::of)
                .filter(Files::isDirectory)
                .orElseThrow(() -> new ProblemException(Problem.machine(
                        Location.machine("XDG_RUNTIME_DIR"),
                        "is not a directory, which users other than root need for a namespace",
                        "log in again, or set it to a directory that only this user can access")))
                .resolve("culvert/netns");
    }

    /** Returns what prevents this user from creating user namespaces, as far as the kernel reports it. */
    static List<Problem> missingRequirements(Environment environment) {
        Problems problems = new Problems();
        Sysctl sysctl = new Sysctl(environment.root().resolve("proc/sys"));
        blockingSysctl(sysctl, "kernel/unprivileged_userns_clone", "0", "1").ifPresent(problems::add);
        blockingSysctl(sysctl, "kernel/apparmor_restrict_unprivileged_userns", "1", "0")
                .ifPresent(problems::add);
        blockingSysctl(sysctl, "user/max_user_namespaces", "0", "15000").ifPresent(problems::add);
        for (String program : List.of("unshare", "nsenter")) {
            if (findProgram(program).isEmpty()) {
                problems.add(Problem.machine(
                        Location.machine(program),
                        "is not installed",
                        "install the package util-linux, or run Culvert as root"));
            }
        }
        return problems.all();
    }

    private static Optional<Problem> blockingSysctl(Sysctl sysctl, String name, String blocking, String permitting) {
        return sysctl.read(name)
                .filter(blocking::equals)
                .map(_ -> Problem.machine(
                        Location.machine(name.replace('/', '.')),
                        "is " + blocking + ": only root can create namespaces on this machine",
                        "run Culvert as root (sudo culvert exec --user \"$USER\" …), or allow it: sudo sysctl -w "
                                + name.replace('/', '.') + "=" + permitting));
    }

    private static Optional<Path> findProgram(String program) {
        return ProgramDirectories.SYSTEM.stream()
                .map(directory -> directory.resolve(program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * Becomes a daemon in a user namespace. Names are resolved and sockets are opened first, while the network is available.
     *
     * @param wait for the names of the servers
     * @param arguments of the daemon, to which the sockets are added
     */
    static void becomeDaemon(
            Environment environment,
            OwnProgram ownProgram,
            String name,
            NamespaceRequest request,
            ResolverWait wait,
            List<String> arguments) {
        Problems problems = new Problems();
        problems.addAll(missingRequirements(environment));
        problems.throwIfErrors();
        ConfinedNamespace namespace = ConfinedNamespace.of(environment, name).prepare();
        try (MachineLock _ = MachineLock.await(namespace.daemonLock())) {
            cleanUp(namespace);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        WireGuardConfig config =
                TunnelFile.of(request.config().toString(), environment.root()).read(environment.log(), true);
        Map<Host.Name, HostLookup.Result> lookups = wait.lookUp(config.hostNames());
        List<OuterSockets.ServerSocket> serverSockets = new ArrayList<>();
        NamespacePlan plan;
        try (KernelConnections kernel = KernelConnections.open(environment)) {
            plan = NamespacePlan.of(
                    config,
                    kernel.machine(),
                    TunnelFile.resolvedNames(lookups, kernel.machine()),
                    new RouteLookup(kernel.route())::mtu,
                    Ipv6.ENABLED,
                    OptionalInt.empty(),
                    request.inboundPorts());
        }
        for (int i = 0; i < plan.device().peers().size(); i++) {
            PeerConfig peer = plan.device().peers().get(i);
            if (peer.endpoint().isPresent()) {
                serverSockets.add(new OuterSockets.ServerSocket(
                        i,
                        InheritedSocket.open(Family.of(peer.endpoint().get().getAddress())),
                        peer.endpoint().get()));
            }
        }
        List<String> command = new ArrayList<>(List.of(
                findProgram("unshare").orElseThrow().toString(),
                "--user",
                "--map-root-user",
                "--net",
                "--mount",
                "--"));
        command.addAll(ownProgram.command(arguments));
        command.addAll(
                List.of("--outside", new OuterSockets(namespace.directory(), plan.mtu(), serverSockets).toString()));
        replaceProcess(
                new ProcessReplacement(bytes(command), environment(environment)),
                serverSockets.stream()
                        .map(serverSocket -> serverSocket.socket().number())
                        .collect(Collectors.toSet()));
    }

    /**
     * Enters the namespace of a daemon, in a user namespace below the daemon's, with capabilities for its own mount
     * namespace and none over the network.
     *
     * @param response of the daemon
     * @param program the program to run there
     */
    static void enter(OwnProgram ownProgram, JsonObject response, ProcessReplacement program) {
        List<byte[]> command = new ArrayList<>(bytes(List.of(
                findProgram("nsenter").orElseThrow().toString(),
                "--user=" + response.getString("user"),
                "--net=" + response.getString("namespace"),
                "--preserve-credentials",
                "--",
                findProgram("unshare").orElseThrow().toString(),
                "--user",
                "--map-user=" + Account.effectiveUser(),
                "--map-group=" + Account.effectiveGroup(),
                "--mount",
                "--keep-caps",
                "--")));
        command.addAll(bytes(ownProgram.command(List.of("exec", "--inside", response.toString(), "--"))));
        command.addAll(program.arguments());
        replaceProcess(new ProcessReplacement(command, program.environment()), Set.of());
    }

    /**
     * Kills the userspace WireGuard that a killed daemon left behind, which has no connection any more, and deletes its
     * files. Everything else was in the daemon's own namespaces.
     */
    static void cleanUp(ConfinedNamespace namespace) throws IOException {
        ProcessHandle.allProcesses()
                .filter(process -> isUserspaceWireGuardOf(process.pid(), namespace.outerLinkName()))
                .forEach(ProcessHandle::destroyForcibly);
        namespace.deleteFiles();
    }

    /** Recognizes the program by the last word of its command line, the unique name of its link. */
    private static boolean isUserspaceWireGuardOf(long pid, String link) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"), StandardCharsets.ISO_8859_1)
                    .endsWith("\0" + link + "\0");
        } catch (IOException _) {
            return false; // It has exited.
        }
    }

    private static void replaceProcess(ProcessReplacement program, Set<Integer> inheritedDescriptors) {
        try {
            int status = program.become(Optional.empty(), inheritedDescriptors);
            throw new ProblemException(
                    Problem.machine(Location.machine(program.name()), "cannot be executed: status " + status, ""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<byte[]> environment(Environment environment) {
        return environment.variables().entrySet().stream()
                .map((Map.Entry<String, String> variable) -> variable.getKey() + "=" + variable.getValue())
                .map(variable -> variable.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    private static List<byte[]> bytes(List<String> command) {
        return Stream.of(command)
                .flatMap(List::stream)
                .map(word -> word.getBytes(StandardCharsets.UTF_8))
                .toList();
    }
}
