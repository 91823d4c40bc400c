package io.culvert.confinement;

import io.culvert.device.WireGuardDevices;
import io.culvert.linux.NetworkNamespace;
import io.culvert.needs.TunnelFile;
import io.culvert.network.Ownership;
import io.culvert.plan.ConfinementPlan;
import io.culvert.plan.Names;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.process.StopSignals;
import io.culvert.run.Journal;
import io.culvert.run.Surroundings;
import io.culvert.run.Turn;
import io.culvert.run.Watch;
import io.culvert.wireguard.WireGuardConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The namespace daemon. Creates a namespace, monitors its tunnel, admits programs, and deletes the namespace when the
 * last one has exited, or on request. One thread handles all events.
 */
public final class Keeper {

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
    private final boolean stays;

    /**
     * Creates the daemon; {@link #run} creates the namespace.
     *
     * @param stays whether the namespace persists without programs in it
     * @param outside what the daemon can use of the machine's network, if it runs in a user namespace
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
     * Creates the namespace and manages it until it is deleted.
     *
     * @param first the process id of the program that it is created for
     * @param ready is called when programs can enter
     * @throws ProblemException if the namespace cannot be created, in which case nothing is left of it
     */
    public void run(OptionalLong first, Runnable ready) throws InterruptedException {
        try (Turn _ = Turn.await(confinement.kept());
                StopSignals _ = StopSignals.deliverTo(signal -> events.add(new Event.Stop(signal)))) {
            WireGuardConfig file =
                    TunnelFile.of(wish.config().toString(), around.root()).read(journal, true);
            Optional<Relays> relays =
                    outside.isPresent() ? Optional.of(Relays.open(around, outside.get())) : Optional.empty();
            Servers servers = new Servers(around, file);
            Names names = outside.isPresent() ? Names.NONE : servers.resolve();
            NetworkNamespace space = confinement.claim();
            ConfinedTunnel tunnel = new ConfinedTunnel(
                    around,
                    confinement.outerLink(),
                    space,
                    file,
                    wish,
                    plan -> relays.map(it -> it.around(plan)).orElse(plan),
                    outside.map(it -> OptionalInt.of(it.mtu())).orElse(OptionalInt.empty()),
                    names);
            try {
                ConfinementPlan plan = tunnel.raise();
                warn(plan);
                NameFiles files = new NameFiles(plan.resolvers(), plan.searchDomains());
                PrivateDirectory.write(confinement.resolvConf(), files.resolvConf());
                PrivateDirectory.write(confinement.serviceSwitch(), NameFiles.serviceSwitch());
                try (Watch watch = Watch.start(
                                journal,
                                List.of(() -> Watch.Source.of(tunnel.watch())),
                                () -> events.add(new Event.Changed()));
                        Control control =
                                Control.listen(confinement.socket(), asked -> events.add(new Event.Question(asked)))) {
                    Residents residents = new Residents(
                            around.root().resolve("proc"), space.identity(), pid -> events.add(new Event.Left(pid)));
                    first.ifPresent(residents::expect);
                    ready.run();
                    journal.info("netns: " + confinement.name() + " is up");
                    keep(
                            tunnel,
                            watch,
                            servers,
                            new Reception(confinement, wish, outside.isPresent(), plan, tunnel, residents, stays));
                    control.close();
                }
            } finally {
                tunnel.lower();
                space.forget();
                confinement.forget();
            }
            journal.info("netns: " + confinement.name() + " is down");
        } catch (IOException e) {
            throw new ProblemException(Problem.failure(
                    Place.machine(confinement.name()), "namespace daemon failed: " + e.getMessage(), ""));
        }
    }

    private void keep(ConfinedTunnel tunnel, Watch watch, Servers servers, Reception reception)
            throws InterruptedException {
        Duration wait = LOOK_AT_NAMES;
        while (true) {
            Event event = events.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
            switch (event) {
                case null -> {
                    if (wait.equals(TRY_AGAIN)) {
                        watch.mend();
                        wait = restored(tunnel, watch);
                    } else if (outside.isEmpty()) {
                        servers.follow(tunnel.lastHandshake(), names -> events.add(new Event.Resolved(names)));
                    }
                }
                case Event.Changed() -> wait = restored(tunnel, watch);
                case Event.Resolved(Names names) -> tunnel.follow(names);
                case Event.Stop(String signal) -> {
                    journal.info("netns: received " + signal + ", deleting " + confinement.name());
                    return;
                }
                case Event.Left(long pid) -> {
                    if (reception.left(pid)) {
                        return;
                    }
                }
                case Event.Question(Control.Asked asked) -> {
                    if (reception.answer(asked)) {
                        return;
                    }
                }
            }
        }
    }

    /**
     * Reverts external changes.
     *
     * @return how long to wait for the next event
     */
    private Duration restored(ConfinedTunnel tunnel, Watch watch) {
        try {
            if (tunnel.restore()) {
                journal.warn("netns: reverted external changes in " + confinement.name());
            }
            return watch.isDeaf() ? TRY_AGAIN : LOOK_AT_NAMES;
        } catch (RuntimeException e) {
            // There is no leak meanwhile, as nothing else leads out of the namespace.
            journal.failure(e);
            return TRY_AGAIN;
        }
    }

    private void warn(ConfinementPlan plan) {
        journal.problems(plan.remarks());
        if (plan.resolvers().isEmpty()) {
            journal.problems(List.of(Problem.warning(
                    Place.file(wish.config()),
                    "no DNS server is reachable through the tunnel, so programs cannot resolve names",
                    "add DNS = with an address that AllowedIPs covers")));
        }
        if (plan.device().peers().stream().noneMatch(peer -> peer.endpoint().isPresent())) {
            journal.problems(List.of(Problem.note(
                    Place.file(wish.config()),
                    "no peer has an Endpoint: the tunnel works only once a peer has connected")));
        }
    }

    /** Removes what a killed daemon left, without programs in it. */
    static void clear(Confinement confinement) throws IOException {
        try (Turn _ = Turn.await(confinement.kept())) {
            WireGuardDevices.usual(Ownership.ALIAS).removeMoved(confinement.outerLink());
            confinement.namespace().forget();
            confinement.forget();
        }
    }
}
