package io.culvert.confinement;

import io.culvert.ip.Prefix;
import io.culvert.plan.ConfinementPlan;
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
final class Reception {

    private final Confinement confinement;
    private final Wish wish;
    private final boolean rootless;
    private final ConfinementPlan plan;
    private final ConfinedTunnel tunnel;
    private final Residents residents;
    private boolean stays;

    /**
     * Creates the handler for one namespace.
     *
     * @param rootless whether the daemon runs in a user namespace
     * @param stays whether the namespace persists without programs in it
     */
    Reception(
            Confinement confinement,
            Wish wish,
            boolean rootless,
            ConfinementPlan plan,
            ConfinedTunnel tunnel,
            Residents residents,
            boolean stays) {
        this.confinement = confinement;
        this.wish = wish;
        this.rootless = rootless;
        this.plan = plan;
        this.tunnel = tunnel;
        this.residents = residents;
        this.stays = stays;
    }

    /**
     * Handles a request.
     *
     * @return whether the namespace is to be deleted, as requested
     */
    boolean answer(Control.Asked asked) {
        try (asked) {
            JsonObject question = asked.question();
            switch (question.getString("ask", "")) {
                case "join" -> {
                    Optional<JsonObject> refusal = refusal(question);
                    if (refusal.isPresent()) {
                        asked.answer(refusal.get());
                    } else {
                        residents.expect(question.getJsonNumber("pid").longValue());
                        asked.answer(entrance());
                    }
                }
                case "stay" -> {
                    Optional<JsonObject> refusal = refusal(question);
                    stays |= refusal.isEmpty();
                    asked.answer(refusal.orElseGet(this::entrance));
                }
                case "state" -> asked.answer(state());
                case "end" -> {
                    Set<Long> inside = residents.all();
                    if (inside.isEmpty() || question.getBoolean("force", false)) {
                        asked.answer(
                                Json.createObjectBuilder().add("done", true).build());
                        return true;
                    }
                    asked.answer(refused(
                            "is in use by processes " + inside,
                            "stop them first, or use --force, which leaves them without network"));
                }
                default -> asked.answer(refused("does not know this request", "delete it and create it again"));
            }
            return false;
        }
    }

    /**
     * Handles the exit of a program.
     *
     * @return whether the namespace is to be deleted, as that was the last one
     */
    boolean left(long pid) {
        residents.gone(pid);
        return !stays && residents.all().isEmpty();
    }

    /** Refuses a program whose options differ from those of the existing namespace. */
    private Optional<JsonObject> refusal(JsonObject question) {
        if (!question.containsKey("wish")) {
            return Optional.empty();
        }
        List<String> wanted = question.getJsonArray("wish").getValuesAs(JsonString.class).stream()
                .map(JsonString::getString)
                .toList();
        return wanted.equals(wish.arguments())
                ? Optional.empty()
                : Optional.of(refused(
                        "is up with other options: " + String.join(" ", wish.arguments()),
                        "use the same options, or another name with --netns"));
    }

    private static JsonObject refused(String what, String cure) {
        return Json.createObjectBuilder().add("refused", what).add("cure", cure).build();
    }

    private JsonObject entrance() {
        JsonArrayBuilder resolvers = Json.createArrayBuilder();
        plan.resolvers().forEach(resolver -> resolvers.add(Prefix.text(resolver)));
        JsonObjectBuilder entrance = Json.createObjectBuilder();
        Path namespace = confinement.namespace().path();
        if (rootless) {
            Path self = Path.of("/proc", Long.toString(ProcessHandle.current().pid()));
            entrance.add("user", self.resolve("ns/user").toString());
            // The daemon has its own mount namespace.
            namespace = self.resolve("root").resolve(Path.of("/").relativize(namespace));
        }
        return entrance.add("namespace", namespace.toString())
                .add("resolvers", resolvers)
                .add("search", Json.createArrayBuilder(plan.searchDomains()))
                .build();
    }

    private JsonObject state() {
        JsonObjectBuilder state = Json.createObjectBuilder()
                .add("name", confinement.name())
                .add("config", wish.config().toString())
                .add("stays", stays)
                .add("pid", ProcessHandle.current().pid())
                .add("implementation", tunnel.implementation())
                .add("programs", Json.createArrayBuilder(new ArrayList<Object>(residents.all())));
        tunnel.lastHandshake().ifPresent(at -> state.add("lastHandshake", at.toString()));
        return state.build();
    }
}
