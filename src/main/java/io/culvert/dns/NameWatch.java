package io.culvert.dns;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the addresses of a name up to date: resolves it again when its TTL expires, sooner while no server responds,
 * and reports when the set of addresses has changed. A failure changes nothing.
 */
public final class NameWatch implements AutoCloseable {

    private static final Duration SHORTEST = Duration.ofSeconds(30);
    private static final Duration LONGEST = Duration.ofHours(1);
    private static final Duration FIRST_RETRY = Duration.ofSeconds(5);
    private static final Duration LAST_RETRY = Duration.ofMinutes(5);

    /** The result if resolving threw an exception: treated as no response. */
    private static final Resolution NOTHING = new Resolution(List.of(), Duration.ZERO, false, List.of());

    private final Supplier<Resolution> look;
    private final Consumer<Resolution> changed;
    private final ScheduledExecutorService scheduler;

    private final Object looking = new Object();
    private Set<InetAddress> known;
    private Duration retry = FIRST_RETRY;
    private int doubts;
    private @Nullable Future<?> next;
    private boolean closed;

    /**
     * Starts from the known addresses, which are not passed to {@code changed} again.
     *
     * @param look resolves the name; runs on the scheduler and may take seconds
     * @param changed receives changed addresses; runs on the scheduler, never concurrently
     */
    public NameWatch(
            Resolution first,
            Supplier<Resolution> look,
            Consumer<Resolution> changed,
            ScheduledExecutorService scheduler) {
        this.look = look;
        this.changed = changed;
        this.scheduler = scheduler;
        this.known = Set.copyOf(first.addresses());
        schedule(delay(first));
    }

    /** Resolves the name at once, for callers with reason to doubt the addresses. */
    public synchronized void lookNow() {
        doubts++;
        schedule(Duration.ZERO);
    }

    @Override
    public synchronized void close() {
        closed = true;
        cancel();
    }

    private void lookAgain() {
        synchronized (looking) {
            int before = doubts();
            Resolution found = NOTHING;
            try {
                found = look.get();
                if (found.fresh() && learn(found.addresses())) {
                    changed.accept(found);
                }
            } finally {
                scheduleUnlessDoubted(before, delay(found));
            }
        }
    }

    private synchronized int doubts() {
        return doubts;
    }

    /** A call of {@link #lookNow} during this attempt requests another one, which is scheduled already. */
    private synchronized void scheduleUnlessDoubted(int before, Duration delay) {
        if (doubts == before) {
            schedule(delay);
        }
    }

    private synchronized boolean learn(List<InetAddress> addresses) {
        Set<InetAddress> now = Set.copyOf(addresses);
        boolean different = !now.equals(known);
        known = now;
        return different && !closed;
    }

    private synchronized Duration delay(Resolution found) {
        if (found.fresh()) {
            retry = FIRST_RETRY;
            return within(SHORTEST, found.life(), LONGEST);
        }
        Duration delay = retry;
        retry = within(FIRST_RETRY, retry.multipliedBy(2), LAST_RETRY);
        return delay;
    }

    private synchronized void schedule(Duration delay) {
        cancel();
        if (!closed) {
            try {
                next = scheduler.schedule(this::lookAgain, delay.toMillis(), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException _) {
                // The scheduler is shut down, and so is this watch.
            }
        }
    }

    private synchronized void cancel() {
        if (next != null) {
            next.cancel(false);
        }
    }

    private static Duration within(Duration least, Duration wanted, Duration most) {
        if (wanted.compareTo(least) < 0) {
            return least;
        }
        return wanted.compareTo(most) > 0 ? most : wanted;
    }
}
