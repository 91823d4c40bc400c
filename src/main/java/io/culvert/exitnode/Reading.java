package io.culvert.exitnode;

import io.culvert.ip.Prefix;
import io.culvert.linux.Container;
import io.culvert.mesh.NodeFile;
import io.culvert.network.Machine;
import io.culvert.plan.ExitNodeChecks;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Names;
import io.culvert.plan.PlainMesh;
import io.culvert.plan.RuntimeResolvers;
import io.culvert.plan.Tailnet;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.proxy.SockdFile;
import io.culvert.run.Surroundings;
import io.culvert.settings.Settings;
import io.culvert.settings.SettingsReader;
import io.culvert.settings.SettingsReading;
import io.culvert.topology.Forward.Direction;
import io.culvert.wireguard.WireGuardConfig;
import io.culvert.wireguard.WireGuardFile;
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
 * @param servers the providers' files in failover order; never empty
 * @param meshes the mesh interfaces, where the mesh is plain WireGuard: that of a wg-quick file, or those of a
 *     network file
 * @param sockd the user's own sockd.conf
 * @param remarks warnings and notes
 * @param tree the effective settings, as logged at the start
 */
record Reading(
        Settings settings,
        List<Server> servers,
        List<PlainMesh> meshes,
        Optional<SockdFile> sockd,
        List<Problem> remarks,
        String tree) {

    /** A provider's WireGuard file, parsed. */
    record Server(Path file, WireGuardConfig config) {}

    Reading {
        servers = List.copyOf(servers);
        meshes = List.copyOf(meshes);
        remarks = List.copyOf(remarks);
    }

    /** @throws ProblemException with all problems of all settings and files */
    static Reading of(Surroundings surroundings) {
        Problems problems = new Problems();
        SettingsReading reading = new SettingsReader(surroundings.environment(), surroundings.root()).read();
        problems.addAll(reading.problems());
        List<Server> servers = new ArrayList<>();
        for (Path file : reading.wireGuardFiles()) {
            parse(file, problems).ifPresent(config -> servers.add(new Server(file, config)));
        }
        List<PlainMesh> meshes = reading.meshFile().stream()
                .flatMap(file -> reading
                        .meshNode()
                        .map(name -> node(file, name, problems))
                        .orElseGet(() -> wgQuick(file, problems).map(PlainMesh::of).stream()
                                .toList())
                        .stream())
                .toList();
        reading.settings().ifPresent(settings -> {
            problems.addAll(ExitNodeChecks.settings(settings));
            servers.forEach(server -> problems.addAll(ExitNodeChecks.server(server.file(), server.config(), settings)));
            if (!servers.isEmpty()) {
                meshes.forEach(mesh -> problems.addAll(ExitNodeChecks.mesh(
                        reading.meshFile().orElseThrow(),
                        mesh,
                        servers.stream().map(Server::config).toList())));
            }
        });
        Optional<SockdFile> sockd = reading.settings().flatMap(settings -> sockd(settings, servers, problems));
        problems.throwIfErrors();
        return new Reading(
                reading.settings().orElseThrow(),
                servers,
                meshes,
                sockd,
                problems.all(),
                reading.tree().toString());
    }

    /** Returns whether this is a container, even where other settings are invalid. */
    static Container container(Surroundings around) {
        return new SettingsReader(around.environment(), around.root())
                .read()
                .container()
                .map(choice -> Container.of(choice, around.environment(), around.root()))
                .orElseGet(() -> Container.beforeSettings(around.environment(), around.root()));
    }

    /** Returns the inputs of the first plan, with unresolved names. */
    ExitNodeInputs inputs(RuntimeResolvers resolvers, Machine machine) {
        return new ExitNodeInputs(
                settings,
                servers.getFirst().config(),
                meshes,
                Tailnet.UNKNOWN,
                Proxy.port(settings, sockd),
                0,
                ExitNodePlan.STUB_PORT,
                resolvers,
                machine,
                Names.NONE,
                Optional.empty());
    }

    private static Optional<SockdFile> sockd(Settings settings, List<Server> servers, Problems problems) {
        if (!settings.socks().enabled() || settings.socks().config().isEmpty()) {
            return Optional.empty();
        }
        Path file = settings.socks().config().get();
        try {
            SockdFile own = SockdFile.check(
                    file,
                    Files.readString(file),
                    ExitNodePlan.TUNNEL,
                    servers.stream()
                            .flatMap(server -> server.config().addresses().stream())
                            .map(Prefix::address)
                            .toList(),
                    settings.socks().port());
            problems.addAll(ExitNodeChecks.proxy(file, own.port()));
            return Optional.of(own);
        } catch (ProblemException e) {
            problems.addAll(e.problems());
        } catch (IOException _) {
            problems.add(Problem.input(Place.file(file), "cannot be read", "make it a readable text file"));
        }
        return Optional.empty();
    }

    private static Optional<WireGuardConfig> wgQuick(Path file, Problems problems) {
        if (file.getFileName().toString().matches("(?i).*\\.(yaml|yml|json)")) {
            problems.add(Problem.input(
                    Place.file(file),
                    "is a network file, by its extension, but CULVERT_MESH_NODE does not name this node's peer in it",
                    "set CULVERT_MESH_NODE to the peer's name"));
            return Optional.empty();
        }
        return parse(file, problems);
    }

    /** Returns an interface for each of the node's subnets; the traffic of all of them leaves through the tunnel. */
    private static List<PlainMesh> node(Path file, String name, Problems problems) {
        try {
            List<Problem> remarks = new ArrayList<>();
            NodeFile node = NodeFile.read(file, name, remarks);
            problems.addAll(remarks);
            if (node.interfaces().isEmpty()) {
                problems.add(
                        Problem.input(Place.file(file), "'" + name + "' is in no subnet", "add one to its 'subnets'"));
            }
            if (node.view().forwards().stream().anyMatch(forward -> forward.direction() != Direction.EXIT)) {
                problems.add(Problem.warning(
                        Place.file(file),
                        "'" + name + "' has routes, but exit-node clients of 'culvert up' reach nothing outside the"
                                + " tunnel",
                        "move the routes to a peer that does not run 'culvert up'"));
            }
            node.view()
                    .leaving()
                    .ifPresent(leaving -> problems.add(Problem.input(
                            Place.file(file),
                            "'" + name + "' exits via '" + leaving.peer()
                                    + "', but 'culvert up' sends all traffic through its tunnel",
                            "delete its 'via'")));
            return IntStream.range(0, node.interfaces().size())
                    .mapToObj(number -> PlainMesh.of(
                            number,
                            node.view().interfaces().get(number),
                            node.interfaces().get(number)))
                    .toList();
        } catch (ProblemException e) {
            problems.addAll(e.problems());
            return List.of();
        }
    }

    private static Optional<WireGuardConfig> parse(Path file, Problems problems) {
        WireGuardFile.Parsed parsed = WireGuardFile.read(file);
        problems.addAll(parsed.problems());
        return parsed.config();
    }
}
