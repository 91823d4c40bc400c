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
 * Whoever keeps a namespace: makes it, watches its tunnel, lets programs in, and takes it down when the last has left, or when
 * told to. All that happens comes to one thread.
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
                    journal.info(confinement.name() + " is up");
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
            journal.info(confinement.name() + " is down");
        } catch (IOException e) {
            throw new ProblemException(
                    Problem.failure(Place.machine(confinement.name()), "cannot be kept: " + e.getMessage(), ""));
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
                    journal.info(signal + ": taking " + confinement.name() + " down");
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

    /** @return how long to wait for the next event */
    private Duration restored(ConfinedTunnel tunnel, Watch watch) {
        try {
            if (tunnel.restore()) {
                journal.warn(confinement.name() + " was not as it should be, and is again");
            }
            return watch.isDeaf() ? TRY_AGAIN : LOOK_AT_NAMES;
        } catch (RuntimeException e) {
            // Nothing can leave meanwhile, for there is nothing that leads out.
            journal.failure(e);
            return TRY_AGAIN;
        }
    }

    private void warn(ConfinementPlan plan) {
        journal.problems(plan.remarks());
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
