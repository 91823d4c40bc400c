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

/** The namespaces of this machine, for those who come and go: each has a {@link Keeper} of its own, which is asked. */
public final class Namespaces {

    /** The hidden command that becomes a keeper. */
    public static final String KEEP = "keep";

    private final Surroundings around;
    private final OwnProgram program;

    public Namespaces(Surroundings around, OwnProgram program) {
        this.around = around;
        this.program = program;
    }

    /** Makes one that stays until it is taken down. */
    public void up(String name, Wish wish) {
        request(Confinement.of(around, name), "stay", Optional.of(wish));
        around.journal().info(name + " is up");
    }

    /**
     * Takes one down.
     *
     * @param force also with programs in it
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
                    around.journal().info(name + " is down");
                }
            } else if (Files.exists(confinement.mark())) {
                clear(confinement);
                around.journal().info(name + " is down, which somebody had killed");
            } else {
                around.journal().info(name + " was not up");
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

    /** What there is; as a table, or as JSON. */
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
                ? "there is none"
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
            // As said below.
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
                    + "  abandoned: its keeper was killed. The next 'culvert exec' takes it up, 'culvert netns down "
                    + name + "' removes it";
        }
        String handshake = state.containsKey("lastHandshake")
                ? Duration.between(
                                        Instant.parse(state.getString("lastHandshake")),
                                        around.clock().instant())
                                .toSeconds()
                        + " s ago"
                : "none yet";
        return name + "  " + state.getString("config") + "  " + state.getString("implementation") + "  handshake "
                + handshake + "  programs " + state.getJsonArray("programs")
                + (state.getBoolean("stays") ? "" : "  until they have ended");
    }

    /** How to get into one, which is made where it is not there. */
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
                                "is not up, and no WireGuard file says how to make it",
                                "add --config FILE, or raise it first: culvert netns up " + confinement.name()
                                        + " --config FILE"))),
                        what.equals("stay"));
                answer = ask(confinement, asked);
            }
            return checked(
                    confinement, answer.orElseThrow(() -> new IOException("it ended again: see " + confinement.log())));
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
        // One word when it is ready; nothing when it has ended.
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

    /** Of a keeper, whose hints are to be those of this program. */
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
                "its keeper cannot be talked to: " + e.getMessage(),
                "see " + confinement.log()));
    }

    /**
     * Where this user is not root, goes on in a user namespace.
     *
     * @param arguments that this process was given
     * @return false where there is no need; otherwise it does not return
     */
    public boolean becomeRootlessKeeper(String name, Wish wish, List<String> arguments) {
        if (!Rootless.applies(around)) {
            return false;
        }
        Rootless.keep(around, program, name, wish, arguments);
        return true;
    }

    /** Becomes a keeper: nobody's terminal ends it any more. */
    public static void detach() {
        OwnProcess.leaveSession();
    }
}
