package io.culvert.confinement;

import io.culvert.device.DeviceState.PeerState;
import io.culvert.device.WireGuardDevices;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.linux.NetworkNamespace;
import io.culvert.needs.TunnelFile;
import io.culvert.network.NetworkEvents;
import io.culvert.network.Ownership;
import io.culvert.plan.ConfinementPlan;
import io.culvert.plan.Names;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.StopSignals;
import io.culvert.run.Journal;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.run.Turn;
import io.culvert.wireguard.WireGuardConfig;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Whoever keeps a namespace: makes it, watches its tunnel, lets programs in, and takes it down when the last has left, or when
 * told to. All that happens comes to one thread.
 */
public final class Keeper {

    /** As often as WireGuard itself gives a session up (REJECT_AFTER_TIME, https://www.wireguard.com/papers/wireguard.pdf). */
    private static final Duration STALE = Duration.ofMinutes(3);

    private static final Duration LOOK_AT_NAMES = Duration.ofMinutes(2);
    private static final Duration TRY_AGAIN = Duration.ofSeconds(3);

    private sealed interface Event {
        record Question(Control.Asked asked) implements Event {}

        record Left(long pid) implements Event {}

        record Changed() implements Event {}

        record Resolved(Names names) implements Event {}

        record Stop(String signal) implements Event {}
    }

    private final Surroundings around;
    private final Journal journal;
    private final Confinement confinement;
    private final Wish wish;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Optional<Outside> outside;
    private boolean stays;

    /**
     * @param stays whether it is kept when no program is in it
     * @param outside what it has of the machine's network, where it is not in there itself
     */
    public Keeper(Surroundings around, String name, Wish wish, boolean stays, Optional<Outside> outside) {
        this.around = around;
        this.journal = around.journal();
        this.confinement = outside.map(it -> Confinement.of(around, name, it.directory()))
                .orElseGet(() -> Confinement.of(around, name))
                .prepare();
        this.wish = wish;
        this.stays = stays;
        this.outside = outside;
    }

    /**
     * Keeps it until it is taken down.
     *
     * @param first the process id of the program for which it is made
     * @param ready is called as soon as programs may come
     * @throws ProblemException where it cannot be made; then nothing is left of it
     */
    public void run(OptionalLong first, Runnable ready) throws InterruptedException {
        try (Turn _ = Turn.await(confinement.kept());
                StopSignals _ = StopSignals.deliverTo(signal -> events.add(new Event.Stop(signal)))) {
            WireGuardConfig file =
                    TunnelFile.of(wish.config().toString(), around.root()).read(journal, true);
            Optional<Relays> relays =
                    outside.isPresent() ? Optional.of(Relays.open(around, outside.get())) : Optional.empty();
            Names servers = relays.isPresent() ? Names.NONE : resolved(file);
            NetworkNamespace space = space();
            ConfinedTunnel tunnel = new ConfinedTunnel(
                    around,
                    confinement.outerLink(),
                    space,
                    file,
                    wish,
                    plan -> relays.map(it -> it.around(plan)).orElse(plan),
                    servers);
            try {
                ConfinementPlan plan = tunnel.raise();
                warn(plan);
                NameFiles names = new NameFiles(plan.resolvers(), plan.searchDomains());
                Files.writeString(confinement.resolvConf(), names.resolvConf());
                Files.writeString(confinement.serviceSwitch(), NameFiles.serviceSwitch());
                try (NetworkEvents changes = tunnel.watch();
                        Control control =
                                Control.listen(confinement.socket(), asked -> events.add(new Event.Question(asked)))) {
                    watch(changes);
                    Residents residents = new Residents(
                            around.root().resolve("proc"), space.identity(), pid -> events.add(new Event.Left(pid)));
                    first.ifPresent(residents::expect);
                    ready.run();
                    journal.info(confinement.name() + " is up");
                    keep(file, plan, tunnel, residents);
                    control.close();
                }
            } finally {
                tunnel.lower();
                space.forget();
                confinement.forget();
            }
            journal.info(confinement.name() + " is down");
        } catch (IOException e) {
            throw new ProblemException(
                    Problem.failure(Place.machine(confinement.name()), "cannot be kept: " + e.getMessage(), ""));
        }
    }

    private Names resolved(WireGuardConfig file) {
        try (Kernel kernel = Kernel.open(around)) {
            return TunnelFile.resolve(file, kernel.machine());
        }
    }

    /** What an earlier run left is used again, with the programs in it. */
    private NetworkNamespace space() throws IOException {
        NetworkNamespace space = confinement.namespace();
        if (Files.exists(space.path())) {
            if (space.exists()) {
                if (!Files.exists(confinement.mark())) {
                    throw new ProblemException(Problem.input(
                            Place.machine(space.path().toString()),
                            "there is a network namespace of this name already, and it is not ours",
                            "choose another name with --netns, or remove it: ip netns delete " + confinement.name()));
                }
                return space;
            }
            Files.delete(space.path());
        }
        Files.writeString(confinement.mark(), "");
        return NetworkNamespace.keep(confinement.namespaces(), confinement.name());
    }

    private void keep(WireGuardConfig file, ConfinementPlan plan, ConfinedTunnel tunnel, Residents residents)
            throws InterruptedException {
        Duration wait = LOOK_AT_NAMES;
        while (true) {
            Event event = events.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
            switch (event) {
                case null -> {
                    if (wait.equals(TRY_AGAIN)) {
                        wait = restored(tunnel);
                    } else {
                        resolve(file, tunnel);
                    }
                }
                case Event.Changed() -> wait = restored(tunnel);
                case Event.Resolved(Names names) -> tunnel.follow(names);
                case Event.Stop(String signal) -> {
                    journal.info(signal + ": taking " + confinement.name() + " down");
                    return;
                }
                case Event.Left(long pid) -> {
                    residents.gone(pid);
                    if (!stays && residents.all().isEmpty()) {
                        return;
                    }
                }
                case Event.Question(Control.Asked asked) -> {
                    if (answered(asked, plan, tunnel, residents)) {
                        return;
                    }
                }
            }
        }
    }

    /** @return how long to wait for the next event */
    private Duration restored(ConfinedTunnel tunnel) {
        try {
            if (tunnel.restore()) {
                journal.warn(confinement.name() + " was not as it should be, and is again");
            }
            return LOOK_AT_NAMES;
        } catch (RuntimeException e) {
            // Nothing can leave meanwhile, for there is nothing that leads out.
            journal.failure(e);
            return TRY_AGAIN;
        }
    }

    /** @return whether it is to be taken down */
    private boolean answered(Control.Asked asked, ConfinementPlan plan, ConfinedTunnel tunnel, Residents residents) {
        try (asked) {
            JsonObject question = asked.question();
            switch (question.getString("ask", "")) {
                case "join" -> {
                    Optional<JsonObject> refusal = refusal(question);
                    if (refusal.isPresent()) {
                        asked.answer(refusal.get());
                    } else {
                        residents.expect(question.getJsonNumber("pid").longValue());
                        asked.answer(entrance(plan));
                    }
                }
                case "stay" -> {
                    Optional<JsonObject> refusal = refusal(question);
                    stays |= refusal.isEmpty();
                    asked.answer(refusal.orElseGet(() -> entrance(plan)));
                }
                case "state" -> asked.answer(state(tunnel, residents));
                case "end" -> {
                    Set<Long> inside = residents.all();
                    if (inside.isEmpty() || question.getBoolean("force", false)) {
                        asked.answer(
                                Json.createObjectBuilder().add("done", true).build());
                        return true;
                    }
                    asked.answer(refused(
                            "is in use by the processes " + inside,
                            "end them first, or take it down under them with --force: they can reach nothing then"));
                }
                default -> asked.answer(refused("does not understand the question", "end it and start it anew"));
            }
            return false;
        }
    }

    /** A program that wants something else than there is would not get what it asked for. */
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
                        "use the same, or another name with --netns"));
    }

    private static JsonObject refused(String what, String cure) {
        return Json.createObjectBuilder().add("refused", what).add("cure", cure).build();
    }

    private JsonObject entrance(ConfinementPlan plan) {
        JsonArrayBuilder resolvers = Json.createArrayBuilder();
        plan.resolvers().forEach(resolver -> resolvers.add(Prefix.text(resolver)));
        JsonObjectBuilder entrance = Json.createObjectBuilder();
        Path namespace = confinement.namespace().path();
        if (outside.isPresent()) {
            Path self = Path.of("/proc", Long.toString(ProcessHandle.current().pid()));
            entrance.add("user", self.resolve("ns/user").toString());
            // Its mounts are its own.
            namespace = self.resolve("root").resolve(Path.of("/").relativize(namespace));
        }
        return entrance.add("namespace", namespace.toString())
                .add("resolvers", resolvers)
                .add("search", Json.createArrayBuilder(plan.searchDomains()))
                .build();
    }

    private JsonObject state(ConfinedTunnel tunnel, Residents residents) {
        JsonObjectBuilder state = Json.createObjectBuilder()
                .add("name", confinement.name())
                .add("config", wish.config().toString())
                .add("stays", stays)
                .add("pid", ProcessHandle.current().pid())
                .add("implementation", tunnel.implementation())
                .add("programs", Json.createArrayBuilder(new ArrayList<Object>(residents.all())));
        lastHandshake(tunnel).ifPresent(at -> state.add("lastHandshake", at.toString()));
        return state.build();
    }

    private static Optional<Instant> lastHandshake(ConfinedTunnel tunnel) {
        return tunnel.read().stream()
                .flatMap(device -> device.peers().stream())
                .map(PeerState::lastHandshake)
                .flatMap(Optional::stream)
                .max(Instant::compareTo);
    }

    private void watch(NetworkEvents changes) {
        Thread.ofPlatform().daemon().name("changes").start(() -> {
            while (changes.await(Duration.ofHours(1))
                    .map(_ -> events.add(new Event.Changed()))
                    .orElse(true)) {
                if (Thread.interrupted()) {
                    return;
                }
            }
        });
    }

    /** Only where the servers have been silent: else they may have moved by themselves. Waiting is for another thread. */
    private void resolve(WireGuardConfig file, ConfinedTunnel tunnel) {
        boolean named = outside.isEmpty()
                && file.peers().stream()
                        .flatMap(peer -> peer.endpoint().stream())
                        .anyMatch(endpoint -> endpoint.host() instanceof Host.Name);
        boolean silent = lastHandshake(tunnel)
                .map(at -> at.plus(STALE).isBefore(around.clock().instant()))
                .orElse(true);
        if (named && silent) {
            Thread.ofPlatform().daemon().name("names").start(() -> {
                try {
                    events.add(new Event.Resolved(resolved(file)));
                } catch (ProblemException e) {
                    journal.problems(e.problems());
                }
            });
        }
    }

    private void warn(ConfinementPlan plan) {
        if (plan.resolvers().isEmpty()) {
            journal.problems(List.of(Problem.warning(
                    Place.file(wish.config()),
                    "the tunnel leads to no resolver, so programs find no names",
                    "add DNS = with an address that AllowedIPs hold")));
        }
        if (plan.device().peers().stream().noneMatch(peer -> peer.endpoint().isPresent())) {
            journal.problems(List.of(Problem.note(
                    Place.file(wish.config()), "no peer has an endpoint: the tunnel works when one of them calls")));
        }
    }

    /** Removes what one left that was killed, with nobody in it. */
    static void clear(Confinement confinement) throws IOException {
        try (Turn _ = Turn.await(confinement.kept())) {
            WireGuardDevices.usual(Ownership.ALIAS).removeMoved(confinement.outerLink());
            confinement.namespace().forget();
            confinement.forget();
        }
    }
}
