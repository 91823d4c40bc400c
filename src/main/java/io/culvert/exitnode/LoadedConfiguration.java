// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.Problems;
import io.culvert.linux.Container;
import io.culvert.mesh.MeshNodeFile;
import io.culvert.net.Prefix;
import io.culvert.networkfile.Forward.Direction;
import io.culvert.plan.ExitNodeChecks;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.RuntimeResolvers;
import io.culvert.plan.WireGuardMeshInterface;
import io.culvert.proxies.SockdFile;
import io.culvert.routing.TunnelIdentity;
import io.culvert.rtnl.Machine;
import io.culvert.runtime.Environment;
import io.culvert.settings.LoadedSettings;
import io.culvert.settings.Settings;
import io.culvert.settings.SettingsReader;
import io.culvert.settings.WireGuardVariables;
import io.culvert.wireguard.config.FileUse;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.config.WireGuardFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The loaded configuration: the settings and the files that they name, read together, so that all errors are reported
 * at once.
 *
 * @param identity link, table and marks of the tunnel
 * @param servers the providers' files in failover order; never empty
 * @param meshes the mesh interfaces, where the mesh is plain WireGuard: that of a wg-quick file, or those of a
 *     network file
 * @param sockd the user's own sockd.conf
 * @param remarks warnings and notes
 * @param settingsTree the effective settings, as logged at the start
 */
record LoadedConfiguration(
        Settings settings,
        TunnelIdentity identity,
        List<Server> servers,
        List<WireGuardMeshInterface> meshes,
        Optional<SockdFile> sockd,
        List<Problem> remarks,
        String settingsTree) {

    /** A provider's WireGuard file, parsed. */
    record Server(Path file, WireGuardConfig config) {}

    LoadedConfiguration {
        servers = List.copyOf(servers);
        meshes = List.copyOf(meshes);
        remarks = List.copyOf(remarks);
    }

    /** @throws ProblemException with all problems of all settings and files */
    static LoadedConfiguration load(Environment environment) {
        Problems problems = new Problems();
        LoadedSettings loaded = new SettingsReader(environment.variables(), environment.root()).read();
        problems.addAll(loaded.problems());
        List<Server> servers = new ArrayList<>();
        for (Path file : loaded.wireGuardFiles()) {
            loaded.wireGuardVariables()
                    .map(variables -> parse(variables, problems))
                    .orElseGet(() -> parse(file, problems))
                    .ifPresent(config -> servers.add(new Server(file, config)));
        }
        List<WireGuardMeshInterface> meshes = loaded.meshFile().stream()
                .flatMap(file -> loaded
                        .meshNode()
                        .map(name -> meshNode(file, name, problems))
                        .orElseGet(() -> wgQuickMesh(file, problems).map(WireGuardMeshInterface::of).stream()
                                .toList())
                        .stream())
                .toList();
        loaded.settings().ifPresent(settings -> {
            problems.addAll(ExitNodeChecks.checkSettings(settings));
            servers.forEach(
                    server -> problems.addAll(ExitNodeChecks.checkServer(server.file(), server.config(), settings)));
            if (!servers.isEmpty()) {
                meshes.forEach(mesh -> problems.addAll(ExitNodeChecks.checkMesh(
                        loaded.meshFile().orElseThrow(),
                        mesh,
                        servers.stream().map(Server::config).toList())));
            }
        });
        Optional<TunnelIdentity> identity =
                loaded.settings().map(Settings::mark).map(TunnelIdentity::withMark);
        Optional<SockdFile> sockd = loaded.settings()
                .flatMap(settings -> sockd(settings, identity.orElseThrow().link(), servers, problems));
        problems.throwIfErrors();
        return new LoadedConfiguration(
                loaded.settings().orElseThrow(),
                identity.orElseThrow(),
                servers,
                meshes,
                sockd,
                problems.all(),
                loaded.tree().toString());
    }

    /**
     * Returns the files and directories that {@link #load} reads, whether they are valid or not: those that the settings name,
     * and the keys that a network file names.
     */
    static List<Path> sources(Environment environment) {
        LoadedSettings loaded = new SettingsReader(environment.variables(), environment.root()).read();
        List<Path> sources = new ArrayList<>(loaded.sources());
        loaded.meshFile()
                .ifPresent(
                        file -> loaded.meshNode().ifPresent(node -> sources.addAll(MeshNodeFile.keyFiles(file, node))));
        return sources;
    }

    /** Returns whether this is a container, even where other settings are invalid. */
    static Container containerSetting(Environment environment) {
        return new SettingsReader(environment.variables(), environment.root())
                .read()
                .container()
                .map(choice -> Container.of(choice, environment.variables(), environment.root()))
                .orElseGet(() -> Container.beforeSettings(environment.variables(), environment.root()));
    }

    /** Returns the inputs of the first plan, with unresolved names. */
    ExitNodeInputs inputs(RuntimeResolvers resolvers, Machine machine) {
        return ExitNodeInputs.of(settings, identity, servers.getFirst().config(), resolvers, machine)
                .with(it -> {
                    it.meshes = meshes;
                    it.socksPort = Proxies.socksPort(settings, sockd);
                });
    }

    private static Optional<SockdFile> sockd(
            Settings settings, String tunnel, List<Server> servers, Problems problems) {
        if (!settings.socks().enabled() || settings.socks().config().isEmpty()) {
            return Optional.empty();
        }
        Path file = settings.socks().config().get();
        try {
            SockdFile sockdFile = SockdFile.check(
                    file,
                    Files.readString(file),
                    tunnel,
                    servers.stream()
                            .flatMap(server -> server.config().addresses().stream())
                            .map(Prefix::address)
                            .toList(),
                    settings.socks().port());
            problems.addAll(ExitNodeChecks.checkProxy(file, sockdFile.port()));
            return Optional.of(sockdFile);
        } catch (ProblemException e) {
            problems.addAll(e.problems());
        } catch (IOException _) {
            problems.add(Problem.input(Location.file(file), "cannot be read", "make it a readable text file"));
        }
        return Optional.empty();
    }

    private static Optional<WireGuardConfig> wgQuickMesh(Path file, Problems problems) {
        if (file.getFileName().toString().matches("(?i).*\\.(yaml|yml|json)")) {
            problems.add(Problem.input(
                    Location.file(file),
                    "is a network file, by its extension, but CULVERT_MESH_NODE does not name this node's peer in it",
                    "set CULVERT_MESH_NODE to the peer's name"));
            return Optional.empty();
        }
        return parse(file, problems);
    }

    /** Returns an interface for each of the node's subnets; the traffic of all of them leaves through the tunnel. */
    private static List<WireGuardMeshInterface> meshNode(Path file, String name, Problems problems) {
        try {
            List<Problem> remarks = new ArrayList<>();
            MeshNodeFile node = MeshNodeFile.read(file, name, remarks);
            problems.addAll(remarks);
            if (node.interfaces().isEmpty()) {
                problems.add(Problem.input(
                        Location.file(file), "'" + name + "' is in no subnet", "add one to its 'subnets'"));
            }
            if (node.view().forwards().stream().anyMatch(forward -> forward.direction() != Direction.EXIT)) {
                problems.add(Problem.warning(
                        Location.file(file),
                        "'" + name + "' has routes, but exit-node clients of 'culvert up' reach nothing outside the"
                                + " tunnel",
                        "move the routes to a peer that does not run 'culvert up'"));
            }
            node.view()
                    .exitNode()
                    .ifPresent(exitNode -> problems.add(Problem.input(
                            Location.file(file),
                            "'" + name + "' exits via '" + exitNode.peer()
                                    + "', but 'culvert up' sends all traffic through its tunnel",
                            "delete its 'via'")));
            return IntStream.range(0, node.interfaces().size())
                    .mapToObj(number -> WireGuardMeshInterface.of(
                            number,
                            node.view().interfaces().get(number),
                            node.interfaces().get(number)))
                    .toList();
        } catch (ProblemException e) {
            problems.addAll(e.problems());
            return List.of();
        }
    }

    private static Optional<WireGuardConfig> parse(WireGuardVariables variables, Problems problems) {
        WireGuardFile.Parsed parsed = WireGuardFile.parse(WireGuardVariables.NAME, variables.text());
        parsed.problems(FileUse.EXIT_NODE).stream().map(variables::located).forEach(problems::add);
        return parsed.config();
    }

    private static Optional<WireGuardConfig> parse(Path file, Problems problems) {
        WireGuardFile.Parsed parsed = WireGuardFile.read(file);
        problems.addAll(parsed.problems(FileUse.EXIT_NODE));
        return parsed.config();
    }
}
