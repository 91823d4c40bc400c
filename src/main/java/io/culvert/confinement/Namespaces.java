package io.culvert.confinement;

import io.culvert.linux.Container;
import io.culvert.linux.OwnProcess;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.OwnProgram;
import io.culvert.run.Surroundings;
import io.culvert.run.Turn;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
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

/** The client of the namespace daemons ({@link Keeper}), one for each namespace of this machine. */
public final class Namespaces {

    /** The hidden command that runs a namespace daemon. */
    public static final String KEEP = "keep";

    private final Surroundings around;
    private final OwnProgram program;

    public Namespaces(Surroundings around, OwnProgram program) {
        this.around = around;
        this.program = program;
    }

    /** Creates a namespace that persists until it is deleted. */
    public void up(String name, Wish wish) {
        request(Confinement.of(around, name), "stay", Optional.of(wish));
        around.journal().info("netns: " + name + " is up");
    }

    /**
     * Deletes a namespace.
     *
     * @param force even with programs in it
     */
    public void down(String name, boolean force) {
        Confinement confinement = Confinement.of(around, name);
        JsonObject question =
                Json.createObjectBuilder().add("ask", "end").add("force", force).build();
        try {
            Optional<JsonObject> answer = ask(confinement, question);
            if (answer.isPresent()) {
                checked(confinement, answer.get());
                try (Turn _ = Turn.await(confinement.kept())) {
                    around.journal().info("netns: " + name + " is down");
                }
            } else if (Files.exists(confinement.mark())) {
                clear(confinement);
                around.journal().info("netns: " + name + " is down (its daemon had been killed)");
            } else {
                around.journal().info("netns: " + name + " was not up");
            }
        } catch (IOException e) {
            throw broken(confinement, e);
        }
    }

    private void clear(Confinement confinement) throws IOException {
        if (Rootless.applies(around)) {
            Rootless.clear(confinement);
        } else {
            Keeper.clear(confinement);
        }
    }

    /** Lists the namespaces, as a table or as JSON. */
    public String list(boolean json) {
        List<JsonObject> states = new ArrayList<>();
        for (Confinement confinement : Confinement.all(around)) {
            states.add(state(confinement));
        }
        if (json) {
            JsonArrayBuilder array = Json.createArrayBuilder();
            states.forEach(array::add);
            return array.build().toString();
        }
        return states.isEmpty()
                ? "no namespaces"
                : states.stream().map(this::line).collect(Collectors.joining(System.lineSeparator()));
    }

    private JsonObject state(Confinement confinement) {
        try {
            JsonObject question = Json.createObjectBuilder().add("ask", "state").build();
            Optional<JsonObject> answer = ask(confinement, question);
            if (answer.isPresent()) {
                JsonObjectBuilder state = Json.createObjectBuilder().add("state", "up");
                answer.get().forEach(state::add);
                return state.build();
            }
        } catch (IOException _) {
            // Without a response it counts as abandoned.
        }
        return Json.createObjectBuilder()
                .add("state", "abandoned")
                .add("name", confinement.name())
                .build();
    }

    private String line(JsonObject state) {
        String name = state.getString("name");
        if (!state.getString("state").equals("up")) {
            return name
                    + "  abandoned: its daemon was killed; 'culvert exec' adopts it, 'culvert netns down " + name
                    + "' deletes it";
        }
        String handshake = state.containsKey("lastHandshake")
                ? Duration.between(
                                        Instant.parse(state.getString("lastHandshake")),
                                        around.clock().instant())
                                .toSeconds()
                        + " s ago"
                : "none";
        return name + "  " + state.getString("config") + "  " + state.getString("implementation") + "  handshake "
                + handshake + "  programs " + state.getJsonArray("programs")
                + (state.getBoolean("stays") ? "" : "  until the last program exits");
    }

    /** Returns a handle to a namespace, which is created if necessary. */
    Entrance join(String name, Optional<Wish> wish) {
        return Entrance.of(request(Confinement.of(around, name), "join", wish));
    }

    private JsonObject request(Confinement confinement, String what, Optional<Wish> wish) {
        JsonObjectBuilder question = Json.createObjectBuilder()
                .add("ask", what)
                .add("pid", ProcessHandle.current().pid());
        wish.ifPresent(it -> question.add("wish", Json.createArrayBuilder(it.arguments())));
        JsonObject asked = question.build();
        try (Turn _ = Turn.await(confinement.prepare().starting())) {
            Optional<JsonObject> answer = ask(confinement, asked);
            if (answer.isEmpty()) {
                start(
                        confinement,
                        wish.orElseThrow(() -> new ProblemException(Problem.input(
                                Place.machine(confinement.name()),
                                "is not up, and no WireGuard file to create it was given",
                                "add --config FILE, or create it first: culvert netns up " + confinement.name()
                                        + " --config FILE"))),
                        what.equals("stay"));
                answer = ask(confinement, asked);
            }
            return checked(
                    confinement,
                    answer.orElseThrow(() -> new IOException("the daemon has exited, see " + confinement.log())));
        } catch (IOException e) {
            throw broken(confinement, e);
        }
    }

    private static Optional<JsonObject> ask(Confinement confinement, JsonObject question) throws IOException {
        return Control.ask(confinement.socket(), question);
    }

    private static JsonObject checked(Confinement confinement, JsonObject answer) {
        if (answer.containsKey("refused")) {
            throw new ProblemException(Problem.input(
                    Place.machine(confinement.name()), answer.getString("refused"), answer.getString("cure", "")));
        }
        return answer;
    }

    private void start(Confinement confinement, Wish wish, boolean stays) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("netns", KEEP, confinement.name()));
        arguments.addAll(wish.arguments());
        if (!stays) {
            arguments.addAll(
                    List.of("--for", Long.toString(ProcessHandle.current().pid())));
        }
        Process keeper = OwnProgram.startLasting(program.command(arguments), environment(), confinement.log());
        // The daemon writes a byte when it is ready; the end of the stream means that it has exited.
        int word = keeper.getInputStream().read();
        if (word < 0) {
            try {
                throw new KeeperFailedException(
                        keeper.waitFor(), Files.readString(confinement.log(), StandardCharsets.UTF_8));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException(e);
            }
        }
        around.journal()
                .info(Files.readString(confinement.log(), StandardCharsets.UTF_8)
                        .strip());
    }

    /** Returns the environment of a daemon, with what decides about the wording of its hints. */
    private Map<String, String> environment() {
        Map<String, String> kept = new HashMap<>();
        for (String name : List.of("PATH", "HOME", "LANG", "XDG_RUNTIME_DIR", "TMPDIR", Container.VARIABLE)) {
            Optional.ofNullable(around.environment().get(name)).ifPresent(value -> kept.put(name, value));
        }
        return kept;
    }

    private static ProblemException broken(Confinement confinement, IOException e) {
        return new ProblemException(Problem.failure(
                Place.machine(confinement.name()),
                "cannot communicate with the namespace daemon: " + e.getMessage(),
                "see " + confinement.log()));
    }

    /**
     * Continues as a daemon in a user namespace if this user is not root.
     *
     * @param arguments of this process
     * @return false if there is no need; otherwise it does not return
     */
    public boolean becomeRootlessKeeper(String name, Wish wish, List<String> arguments) {
        if (!Rootless.applies(around)) {
            return false;
        }
        Rootless.keep(around, program, name, wish, arguments);
        return true;
    }

    /** Detaches this process from the terminal, as a daemon. */
    public static void detach() {
        OwnProcess.leaveSession();
    }
}
