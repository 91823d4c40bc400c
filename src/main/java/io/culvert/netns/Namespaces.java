// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Container;
import io.culvert.linux.OwnProcess;
import io.culvert.process.OwnProgram;
import io.culvert.requirements.ResolverWait;
import io.culvert.runtime.Environment;
import io.culvert.runtime.MachineLock;
import io.culvert.status.ControlSocket;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The client of the namespace daemons ({@link NamespaceDaemon}), one for each namespace of this machine. */
public final class Namespaces {

    /** The hidden command that runs a namespace daemon. */
    public static final String DAEMON_COMMAND = "keep";

    /** What the daemon prints while the names of the servers cannot be resolved yet. */
    public static final String WAITING = "waiting";

    /** What the daemon prints when programs can enter. */
    public static final String READY = "ready";

    /** Longer than a daemon takes, which may have other work before. */
    private static final Duration DAEMON_TIMEOUT = Duration.ofSeconds(60);

    private final Environment environment;
    private final OwnProgram ownProgram;

    public Namespaces(Environment environment, OwnProgram ownProgram) {
        this.environment = environment;
        this.ownProgram = ownProgram;
    }

    /** Creates a namespace that persists until it is deleted. */
    public void up(String name, NamespaceRequest request) {
        sendRequest(ConfinedNamespace.of(environment, name), "stay", Optional.of(request));
        environment.log().info("netns: " + name + " is up");
    }

    /**
     * Deletes a namespace.
     *
     * @param force even with programs in it
     */
    public void down(String name, boolean force) {
        ConfinedNamespace namespace = ConfinedNamespace.of(environment, name);
        JsonObject body =
                Json.createObjectBuilder().add("ask", "end").add("force", force).build();
        try {
            Optional<JsonObject> response = send(namespace, body);
            if (response.isPresent()) {
                requireAccepted(namespace, response.get());
                try (MachineLock _ = MachineLock.await(namespace.daemonLock())) {
                    environment.log().info("netns: " + name + " is down");
                }
            } else if (Files.exists(namespace.markerFile())) {
                cleanUp(namespace);
                environment.log().info("netns: " + name + " is down (its daemon had been killed)");
            } else {
                environment.log().info("netns: " + name + " was not up");
            }
        } catch (IOException e) {
            throw communicationFailure(namespace, e);
        }
    }

    private void cleanUp(ConfinedNamespace namespace) throws IOException {
        if (Rootless.isNeeded(environment)) {
            Rootless.cleanUp(namespace);
        } else {
            NamespaceDaemon.cleanUp(namespace);
        }
    }

    /** Lists the namespaces, as a table or as JSON. */
    public String list(boolean json) {
        List<JsonObject> states = new ArrayList<>();
        for (ConfinedNamespace namespace : ConfinedNamespace.all(environment)) {
            states.add(state(namespace));
        }
        if (json) {
            JsonArrayBuilder array = Json.createArrayBuilder();
            states.forEach(array::add);
            return array.build().toString();
        }
        return states.isEmpty()
                ? "no namespaces"
                : states.stream().map(this::describe).collect(Collectors.joining(System.lineSeparator()));
    }

    private JsonObject state(ConfinedNamespace namespace) {
        try {
            JsonObject body = Json.createObjectBuilder().add("ask", "state").build();
            Optional<JsonObject> response = send(namespace, body);
            if (response.isPresent()) {
                JsonObjectBuilder state = Json.createObjectBuilder().add("state", "up");
                response.get().forEach(state::add);
                return state.build();
            }
        } catch (IOException _) {
            // Without a response it counts as abandoned.
        }
        return Json.createObjectBuilder()
                .add("state", "abandoned")
                .add("name", namespace.name())
                .build();
    }

    private String describe(JsonObject state) {
        String name = state.getString("name");
        if (!state.getString("state").equals("up")) {
            return name
                    + "  abandoned: its daemon was killed; 'culvert exec' adopts it, 'culvert netns down " + name
                    + "' deletes it";
        }
        String handshake = state.containsKey("lastHandshake")
                ? Duration.between(
                                        Instant.parse(state.getString("lastHandshake")),
                                        environment.clock().instant())
                                .toSeconds()
                        + " s ago"
                : "none";
        return name + "  " + state.getString("config") + "  " + state.getString("implementation") + "  handshake "
                + handshake + "  programs " + state.getJsonArray("programs")
                + (state.getBoolean("stays") ? "" : "  until the last program exits");
    }

    /** Returns a handle to a namespace, which is created if necessary. */
    NamespaceHandle join(String name, Optional<NamespaceRequest> request) {
        return NamespaceHandle.of(sendRequest(ConfinedNamespace.of(environment, name), "join", request));
    }

    private JsonObject sendRequest(ConfinedNamespace namespace, String type, Optional<NamespaceRequest> request) {
        JsonObjectBuilder builder = Json.createObjectBuilder()
                .add("ask", type)
                .add("pid", ProcessHandle.current().pid());
        request.ifPresent(it -> builder.add("options", Json.createArrayBuilder(it.arguments())));
        JsonObject body = builder.build();
        try (MachineLock _ = MachineLock.await(namespace.prepare().startLock())) {
            Optional<JsonObject> response = send(namespace, body);
            if (response.isEmpty()) {
                startDaemon(
                        namespace,
                        request.orElseThrow(() -> new ProblemException(Problem.input(
                                Location.machine(namespace.name()),
                                "is not up, and no WireGuard file to create it was given",
                                "add --config FILE, or create it first: culvert netns up " + namespace.name()
                                        + " --config FILE"))),
                        type.equals("stay"));
                response = send(namespace, body);
            }
            return requireAccepted(
                    namespace,
                    response.orElseThrow(() -> new IOException("the daemon has exited, see " + namespace.logFile())));
        } catch (IOException e) {
            throw communicationFailure(namespace, e);
        }
    }

    private static Optional<JsonObject> send(ConfinedNamespace namespace, JsonObject body) throws IOException {
        return ControlSocket.send(namespace.controlSocket(), body, DAEMON_TIMEOUT);
    }

    private static JsonObject requireAccepted(ConfinedNamespace namespace, JsonObject response) {
        if (response.containsKey("refused")) {
            throw new ProblemException(Problem.input(
                    Location.machine(namespace.name()), response.getString("refused"), response.getString("hint", "")));
        }
        return response;
    }

    private void startDaemon(ConfinedNamespace namespace, NamespaceRequest request, boolean persistent)
            throws IOException {
        List<String> arguments = new ArrayList<>(List.of("netns", DAEMON_COMMAND, namespace.name()));
        arguments.addAll(request.arguments());
        if (!persistent) {
            arguments.addAll(
                    List.of("--for", Long.toString(ProcessHandle.current().pid())));
        }
        Process daemon =
                OwnProgram.startInBackground(ownProgram.command(arguments), daemonEnvironment(), namespace.logFile());
        BufferedReader lines = daemon.inputReader(StandardCharsets.UTF_8);
        String logged = "";
        // The daemon writes a line when it waits, and one when it is ready; the end means that it has exited.
        for (String line = lines.readLine(); !READY.equals(line); line = lines.readLine()) {
            String log = Files.readString(namespace.logFile(), StandardCharsets.UTF_8);
            if (line == null) {
                throw failure(daemon, log.substring(logged.length()));
            }
            environment.log().info(log.substring(logged.length()).strip());
            logged = log;
        }
        environment
                .log()
                .info(Files.readString(namespace.logFile(), StandardCharsets.UTF_8)
                        .substring(logged.length())
                        .strip());
    }

    private static DaemonFailedException failure(Process daemon, String messages) throws IOException {
        try {
            return new DaemonFailedException(daemon.waitFor(), messages);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /** Returns the environment of a daemon, with the variables that its hints depend on. */
    private Map<String, String> daemonEnvironment() {
        Map<String, String> variables = new HashMap<>();
        for (String name : List.of("PATH", "HOME", "LANG", "XDG_RUNTIME_DIR", "TMPDIR", Container.VARIABLE)) {
            Optional.ofNullable(environment.variables().get(name)).ifPresent(value -> variables.put(name, value));
        }
        return variables;
    }

    private static ProblemException communicationFailure(ConfinedNamespace namespace, IOException e) {
        return new ProblemException(Problem.failure(
                Location.machine(namespace.name()),
                "cannot communicate with the namespace daemon: " + e.getMessage(),
                "see " + namespace.logFile()));
    }

    /**
     * Continues as a daemon in a user namespace if this user is not root.
     *
     * @param wait for the names of the servers
     * @param arguments of this process
     * @return false if there is no need; otherwise it does not return
     */
    public boolean becomeRootlessDaemon(
            String name, NamespaceRequest request, ResolverWait wait, List<String> arguments) {
        if (!Rootless.isNeeded(environment)) {
            return false;
        }
        Rootless.becomeDaemon(environment, ownProgram, name, request, wait, arguments);
        return true;
    }

    /** Detaches this process from the terminal, as a daemon. */
    public static void detachFromTerminal() {
        OwnProcess.leaveSession();
    }
}
