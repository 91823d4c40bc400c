// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.net.Prefix;
import io.culvert.plan.NamespacePlan;
import io.culvert.status.ControlSocket;
import io.culvert.wireguard.device.DeviceState;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Handles the requests to a namespace daemon. */
final class ControlRequestHandler {

    private final ConfinedNamespace namespace;
    private final NamespaceRequest options;
    private final boolean rootless;
    private final NamespacePlan plan;
    private final ConfinedTunnel tunnel;
    private final ProcessTracker tracker;
    private boolean persistent;

    /**
     * Creates the handler for one namespace.
     *
     * @param rootless whether the daemon runs in a user namespace
     * @param persistent whether the namespace persists without programs in it
     */
    ControlRequestHandler(
            ConfinedNamespace namespace,
            NamespaceRequest options,
            boolean rootless,
            NamespacePlan plan,
            ConfinedTunnel tunnel,
            ProcessTracker tracker,
            boolean persistent) {
        this.namespace = namespace;
        this.options = options;
        this.rootless = rootless;
        this.plan = plan;
        this.tunnel = tunnel;
        this.tracker = tracker;
        this.persistent = persistent;
    }

    /**
     * Handles a request.
     *
     * @return whether the namespace is to be deleted, as requested
     */
    boolean handle(ControlSocket.PendingRequest pending) {
        try (pending) {
            JsonObject body = pending.body();
            switch (body.getString("ask", "")) {
                case "join" -> {
                    Optional<JsonObject> mismatch = optionsMismatch(body);
                    if (mismatch.isPresent()) {
                        pending.respond(mismatch.get());
                    } else {
                        tracker.track(body.getJsonNumber("pid").longValue());
                        pending.respond(namespaceHandle());
                    }
                }
                case "stay" -> {
                    Optional<JsonObject> mismatch = optionsMismatch(body);
                    persistent |= mismatch.isEmpty();
                    pending.respond(mismatch.orElseGet(this::namespaceHandle));
                }
                case "state" -> pending.respond(state());
                case "end" -> {
                    Set<Long> pids = tracker.livePids();
                    if (pids.isEmpty() || body.getBoolean("force", false)) {
                        pending.respond(
                                Json.createObjectBuilder().add("done", true).build());
                        return true;
                    }
                    pending.respond(refusal(
                            "is in use by processes " + pids,
                            "stop them first, or use --force, which leaves them without network"));
                }
                default -> pending.respond(refusal("does not know this request", "delete it and create it again"));
            }
            return false;
        }
    }

    /**
     * Handles the exit of a program.
     *
     * @return whether the namespace is to be deleted, because no program is left in it
     */
    boolean programExited(long pid) {
        tracker.untrack(pid);
        return !persistent && tracker.livePids().isEmpty();
    }

    /** Returns a refusal if the requested options differ from those of the existing namespace. */
    private Optional<JsonObject> optionsMismatch(JsonObject body) {
        if (!body.containsKey("options")) {
            return Optional.empty();
        }
        List<String> requested = body.getJsonArray("options").getValuesAs(JsonString.class).stream()
                .map(JsonString::getString)
                .toList();
        return requested.equals(options.arguments())
                ? Optional.empty()
                : Optional.of(refusal(
                        "is up with other options: " + String.join(" ", options.arguments()),
                        "use the same options, or another name with --netns"));
    }

    private static JsonObject refusal(String reason, String hint) {
        return Json.createObjectBuilder()
                .add("refused", reason)
                .add("hint", hint)
                .build();
    }

    private JsonObject namespaceHandle() {
        JsonArrayBuilder resolvers = Json.createArrayBuilder();
        plan.resolvers().forEach(resolver -> resolvers.add(Prefix.text(resolver)));
        JsonObjectBuilder handle = Json.createObjectBuilder();
        Path path = namespace.namespace().path();
        if (rootless) {
            Path daemonProc =
                    Path.of("/proc", Long.toString(ProcessHandle.current().pid()));
            handle.add("user", daemonProc.resolve("ns/user").toString());
            // The daemon has its own mount namespace.
            path = daemonProc.resolve("root").resolve(Path.of("/").relativize(path));
        }
        return handle.add("namespace", path.toString())
                .add("resolvers", resolvers)
                .add("search", Json.createArrayBuilder(plan.searchDomains()))
                .build();
    }

    private JsonObject state() {
        JsonObjectBuilder state = Json.createObjectBuilder()
                .add("name", namespace.name())
                .add("config", options.config().toString())
                .add("stays", persistent)
                .add("pid", ProcessHandle.current().pid())
                .add("implementation", tunnel.implementation())
                .add("programs", Json.createArrayBuilder(new ArrayList<Object>(tracker.livePids())));
        tunnel.readDevice()
                .flatMap(DeviceState::lastHandshake)
                .ifPresent(at -> state.add("lastHandshake", at.toString()));
        return state.build();
    }
}
