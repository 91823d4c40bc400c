// SPDX-License-Identifier: Apache-2.0
package io.culvert.reconcile;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.netlink.NetlinkSockets;
import io.culvert.rtnl.NetworkEvents;
import io.culvert.rtnl.RulesetEvents;
import io.culvert.timing.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Listens for kernel events on threads of its own, and notifies its owner when another program changes the network or
 * the nftables ruleset. When an event source fails, this is logged and the owner is notified: until {@link #reopenFailed} has
 * reopened the sources, the owner has to poll.
 */
public final class ChangeWatcher implements AutoCloseable {

    /**
     * An event source.
     *
     * @param name for the log message about its failure
     * @param await waits, and returns whether there was a change within the time
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

    private final Log log;
    private final Threads threads;
    private final List<Supplier<Source>> sources;
    private final Runnable onChange;
    private Subscription subscription;
    private final ErrorState failure;

    private ChangeWatcher(Log log, Threads threads, List<Supplier<Source>> sources, Runnable onChange) {
        this.log = log;
        this.threads = threads;
        this.sources = List.copyOf(sources);
        this.onChange = onChange;
        this.failure = new ErrorState(log, "");
        this.subscription = subscribe();
    }

    /**
     * Returns the sources of events about links, addresses, routes, rules and nftables, for the network namespace of the
     * thread that opens them.
     *
     * @param sockets opens them
     * @param ownPort the netlink port whose own changes are ignored
     */
    public static List<Supplier<Source>> kernelEvents(NetlinkSockets sockets, int ownPort) {
        return List.of(
                () -> Source.of(NetworkEvents.open(sockets, port -> port == ownPort)),
                () -> Source.of(RulesetEvents.open(sockets)));
    }

    /**
     * @param threads on which it listens
     * @param sources opened on the calling thread
     * @param onChange called on other threads
     */
    public static ChangeWatcher start(Log log, Threads threads, List<Supplier<Source>> sources, Runnable onChange) {
        return new ChangeWatcher(log, threads, sources, onChange);
    }

    /** Returns whether an event source has failed, so that changes may be missed. */
    public boolean hasFailed() {
        return subscription.failed;
    }

    /**
     * Reopens the event sources if one has failed, and notifies the owner, as changes may have been missed. To be
     * called on the thread that started the watcher.
     */
    public void reopenFailed() {
        if (!hasFailed()) {
            return;
        }
        try {
            Subscription reopened = subscribe();
            subscription.close();
            subscription = reopened;
            failure.succeeded();
            onChange.run();
        } catch (RuntimeException e) {
            failure.failed(e);
        }
    }

    private Subscription subscribe() {
        List<Source> opened = new ArrayList<>();
        try {
            sources.forEach(source -> opened.add(source.get()));
        } catch (RuntimeException e) {
            opened.forEach(source -> source.close().run());
            throw e;
        }
        Subscription opening = new Subscription(opened);
        opened.forEach(source -> threads.start(source.name(), () -> opening.listen(source, log, onChange)));
        return opening;
    }

    @Override
    public void close() {
        subscription.close();
    }

    /** The event sources, from one opening to their closing. */
    private static final class Subscription {

        private final List<Source> sources;
        private volatile boolean failed;
        private volatile boolean closed;

        Subscription(List<Source> sources) {
            this.sources = sources;
        }

        void listen(Source source, Log log, Runnable onChange) {
            try {
                while (!closed) {
                    if (source.await().test(Reconciler.NO_DEADLINE)) {
                        onChange.run();
                    }
                }
            } catch (RuntimeException | Error e) {
                if (!closed) {
                    failed = true;
                    log.problems(List.of(Problem.failure(
                            Location.machine(source.name()),
                            "cannot be received any more (" + e
                                    + "); polling every few seconds until the event source is reopened",
                            "")));
                    onChange.run();
                }
            }
        }

        void close() {
            closed = true;
            sources.forEach(source -> source.close().run());
        }
    }
}
