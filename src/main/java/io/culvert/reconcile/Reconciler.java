// SPDX-License-Identifier: Apache-2.0
package io.culvert.reconcile;

import io.culvert.diagnostics.Log;
import io.culvert.linux.IdleMemory;
import io.culvert.timing.MonotonicClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Keeps a desired state on one thread: whatever happens leads to the same step, which inspects, plans and applies the
 * difference. A failure is logged once and retried; it never ends the loop.
 */
public final class Reconciler<E> implements AutoCloseable {

    /** The interval of retries while something is to be corrected that no event announces. */
    public static final Duration RETRY = Duration.ofSeconds(2);

    /** A wait without a deadline of its own; finite, so that arithmetic with it cannot overflow. */
    public static final Duration NO_DEADLINE = Duration.ofDays(1);

    /** What an event requires. */
    public enum Response {
        NOTHING,
        RECONCILE,
        STOP;

        public static Response reconcileIf(boolean changed) {
            return changed ? RECONCILE : NOTHING;
        }
    }

    /** A desired state. All methods run on the reconciler's thread. */
    public interface Target<E> {

        Response handle(E event);

        /** Inspects, plans and applies the difference; nothing where {@link #check} does all. */
        default void reconcile() {}

        /**
         * Checks what no event announces; runs after each batch of events and at the deadline.
         *
         * @return when to run it again at the latest
         */
        Instant check();

        /** Returns whether something is still to be corrected that no event will announce, besides the last error. */
        default boolean isUnsettled() {
            return false;
        }
    }

    /** After this time a start has ended, and what it needed is released. */
    private static final Duration START = Duration.ofSeconds(3);

    private final Log log;
    private final MonotonicClock clock;
    private final Duration batch;
    private final Target<E> target;
    private final ErrorState error;
    private final EventQueue<E> events;
    private Optional<ChangeWatcher> watcher = Optional.empty();
    private Instant reconciled;
    private Optional<Instant> startEnds = Optional.empty();

    /**
     * @param batch how long to wait for more events after the first one
     * @param recovered the log line for the end of an error
     */
    public Reconciler(
            Log log, MonotonicClock clock, EventQueue<E> events, Duration batch, String recovered, Target<E> target) {
        this.log = log;
        this.clock = clock;
        this.events = events;
        this.batch = batch;
        this.target = target;
        this.error = new ErrorState(log, recovered);
        this.reconciled = clock.instant();
    }

    /**
     * Watches for changes that other programs make; ends with {@link #close}.
     *
     * @param sources opened on the calling thread, now and after a failure
     * @param changed the event to add
     */
    public void watch(List<Supplier<ChangeWatcher.Source>> sources, E changed) {
        watcher = Optional.of(ChangeWatcher.start(log, events.threads(), sources, () -> events.add(changed)));
    }

    /** Returns the message of the error that is retried. */
    public Optional<String> error() {
        return error.current();
    }

    /** Handles events until one of them requires to stop. */
    public void run() throws InterruptedException {
        Instant next = check();
        startEnds = Optional.of(clock.instant().plus(START));
        while (true) {
            List<E> batched = await(deadline(next));
            boolean due = isUnsettled() && !clock.instant().isBefore(retry());
            if (due) {
                watcher.ifPresent(ChangeWatcher::reopenFailed);
            }
            for (E event : batched) {
                switch (handle(event)) {
                    case NOTHING -> {}
                    case RECONCILE -> due = true;
                    case STOP -> {
                        return;
                    }
                }
            }
            if (due) {
                reconcile();
            }
            next = check();
        }
    }

    private Response handle(E event) {
        try {
            return target.handle(event);
        } catch (RuntimeException e) {
            error.failed(e);
            return Response.RECONCILE;
        }
    }

    private Instant check() {
        try {
            return target.check();
        } catch (RuntimeException e) {
            error.failed(e);
            return clock.instant().plus(RETRY);
        }
    }

    /** Waits for events until the deadline. When the start has ended, it releases what only that needed. */
    private List<E> await(Instant deadline) throws InterruptedException {
        if (startEnds.filter(deadline::isAfter).isPresent()) {
            List<E> batched = events.await(Duration.between(clock.instant(), startEnds.get()), batch);
            if (!batched.isEmpty()) {
                return batched;
            }
            startEnds = Optional.empty();
            IdleMemory.release();
        }
        return events.await(Duration.between(clock.instant(), deadline), batch);
    }

    /** Reconciles at once; for the target itself, when it finds a reason in {@link Target#check}. */
    public void reconcile() {
        try {
            target.reconcile();
            error.succeeded();
        } catch (RuntimeException e) {
            error.failed(e);
        } finally {
            reconciled = clock.instant();
        }
    }

    /** Records an error that the target found in {@link Target#check}; it is retried. */
    public void failed(RuntimeException e) {
        error.failed(e);
    }

    private boolean isUnsettled() {
        return error.current().isPresent()
                || watcher.filter(ChangeWatcher::hasFailed).isPresent()
                || target.isUnsettled();
    }

    private Instant deadline(Instant next) {
        Instant retry = retry();
        return isUnsettled() && next.isAfter(retry) ? retry : next;
    }

    private Instant retry() {
        return reconciled.plus(RETRY);
    }

    @Override
    public void close() {
        watcher.ifPresent(ChangeWatcher::close);
    }
}
