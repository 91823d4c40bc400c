package io.culvert.run;

import io.culvert.network.NetworkEvents;
import io.culvert.network.RulesetEvents;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Listens for kernel events on threads of its own, and notifies its owner when another program changes the network or
 * the nftables ruleset. When an event source fails, this is logged and the owner is notified: until {@link #mend} has
 * reopened the sources, the owner has to poll.
 */
public final class Watch implements AutoCloseable {

    private static final Duration FOREVER = Duration.ofDays(1);

    /**
     * An event source.
     *
     * @param name for the log message about its failure
     * @param await waits and returns whether there was a change within the time
     * @param close closes it; may be called while another thread waits, whose wait ends
     */
    public record Source(String name, Predicate<Duration> await, Runnable close) {

        /** Returns the source of events about links, addresses, routes and rules. */
        public static Source of(NetworkEvents events) {
            return new Source("network events", atMost -> events.await(atMost).isPresent(), events::close);
        }

        static Source of(RulesetEvents events) {
            return new Source("ruleset events", events::await, events::close);
        }
    }

    private final Journal journal;
    private final List<Supplier<Source>> sources;
    private final Runnable changed;
    private Round round;
    private Optional<String> told = Optional.empty();

    private Watch(Journal journal, List<Supplier<Source>> sources, Runnable changed) {
        this.journal = journal;
        this.sources = List.copyOf(sources);
        this.changed = changed;
        this.round = begin();
    }

    /** Watches links, addresses, routes, rules and nftables, in the calling thread's network namespace. */
    public static Watch start(Journal journal, Kernel kernel, Runnable changed) {
        int own = kernel.route().portId();
        return start(
                journal,
                List.of(
                        () -> Source.of(NetworkEvents.open(port -> port == own)),
                        () -> Source.of(RulesetEvents.open())),
                changed);
    }

    /**
     * @param sources opened on the calling thread
     * @param changed called on other threads
     */
    public static Watch start(Journal journal, List<Supplier<Source>> sources, Runnable changed) {
        return new Watch(journal, sources, changed);
    }

    /** Whether an event source has failed, so that changes may be missed. */
    public boolean isDeaf() {
        return round.deaf;
    }

    /**
     * Reopens the event sources where one has failed, and notifies the owner, as changes may have been missed. To be
     * called on the thread that started the watch.
     */
    public void mend() {
        if (!isDeaf()) {
            return;
        }
        try {
            Round fresh = begin();
            round.end();
            round = fresh;
            told = Optional.empty();
            changed.run();
        } catch (RuntimeException e) {
            Optional<String> what = Optional.of(String.valueOf(e.getMessage()));
            if (!told.equals(what)) {
                journal.failure(e);
            }
            told = what;
        }
    }

    private Round begin() {
        List<Source> opened = new ArrayList<>();
        try {
            sources.forEach(source -> opened.add(source.get()));
        } catch (RuntimeException e) {
            opened.forEach(source -> source.close().run());
            throw e;
        }
        Round begun = new Round(opened);
        opened.forEach(source ->
                Thread.ofPlatform().daemon().name(source.name()).start(() -> begun.listen(source, journal, changed)));
        return begun;
    }

    @Override
    public void close() {
        round.end();
    }

    /** The event sources, from one opening to their closing. */
    private static final class Round {

        private final List<Source> sources;
        private volatile boolean deaf;
        private volatile boolean over;

        Round(List<Source> sources) {
            this.sources = sources;
        }

        void listen(Source source, Journal journal, Runnable changed) {
            try {
                while (!over) {
                    if (source.await().test(FOREVER)) {
                        changed.run();
                    }
                }
            } catch (RuntimeException | Error e) {
                if (!over) {
                    deaf = true;
                    journal.problems(List.of(Problem.failure(
                            Place.machine(source.name()),
                            "cannot be received any more (" + e
                                    + "); polling every few seconds until the event source is reopened",
                            "")));
                    changed.run();
                }
            }
        }

        void end() {
            over = true;
            sources.forEach(source -> source.close().run());
        }
    }
}
