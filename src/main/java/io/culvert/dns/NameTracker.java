// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.timing.BackOff;
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
public final class NameTracker implements AutoCloseable {

    private static final Duration MIN_DELAY = Duration.ofSeconds(30);
    private static final Duration MAX_DELAY = Duration.ofHours(1);
    private static final BackOff RETRIES = new BackOff(Duration.ofSeconds(5), Duration.ofMinutes(5));

    /** The result if resolving threw an exception: treated as no response. */
    private static final ResolutionResult NO_RESPONSE =
            new ResolutionResult(List.of(), Duration.ZERO, false, List.of());

    private final Supplier<ResolutionResult> resolve;
    private final Consumer<ResolutionResult> onChange;
    private final ScheduledExecutorService scheduler;

    private final Object resolveLock = new Object();
    private Set<InetAddress> lastAddresses;
    private Duration retry = RETRIES.first();
    private int requests;
    private @Nullable Future<?> next;
    private boolean closed;

    /**
     * Starts from the known addresses, which are not passed to {@code onChange} again.
     *
     * @param resolve resolves the name; runs on the scheduler and may take seconds
     * @param onChange receives changed addresses; runs on the scheduler, never concurrently
     */
    public NameTracker(
            ResolutionResult first,
            Supplier<ResolutionResult> resolve,
            Consumer<ResolutionResult> onChange,
            ScheduledExecutorService scheduler) {
        this.resolve = resolve;
        this.onChange = onChange;
        this.scheduler = scheduler;
        this.lastAddresses = Set.copyOf(first.addresses());
        schedule(delay(first));
    }

    /** Resolves the name at once, for callers with reason to doubt the addresses. */
    public synchronized void checkNow() {
        requests++;
        schedule(Duration.ZERO);
    }

    @Override
    public synchronized void close() {
        closed = true;
        cancel();
    }

    private void check() {
        synchronized (resolveLock) {
            int before = requests();
            ResolutionResult found = NO_RESPONSE;
            try {
                found = resolve.get();
                if (found.fresh() && update(found.addresses())) {
                    onChange.accept(found);
                }
            } finally {
                scheduleUnlessRequested(before, delay(found));
            }
        }
    }

    private synchronized int requests() {
        return requests;
    }

    /** A call of {@link #checkNow} during this attempt requests another one, which is scheduled already. */
    private synchronized void scheduleUnlessRequested(int before, Duration delay) {
        if (requests == before) {
            schedule(delay);
        }
    }

    private synchronized boolean update(List<InetAddress> addresses) {
        Set<InetAddress> current = Set.copyOf(addresses);
        boolean different = !current.equals(lastAddresses);
        lastAddresses = current;
        return different && !closed;
    }

    private synchronized Duration delay(ResolutionResult found) {
        if (found.fresh()) {
            retry = RETRIES.first();
            return clamp(MIN_DELAY, found.ttl(), MAX_DELAY);
        }
        Duration delay = retry;
        retry = RETRIES.next(retry);
        return delay;
    }

    private synchronized void schedule(Duration delay) {
        cancel();
        if (!closed) {
            try {
                next = scheduler.schedule(this::check, delay.toMillis(), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException _) {
                // The scheduler is shut down, and so is this tracker.
            }
        }
    }

    private synchronized void cancel() {
        if (next != null) {
            next.cancel(false);
        }
    }

    private static Duration clamp(Duration min, Duration value, Duration max) {
        if (value.compareTo(min) < 0) {
            return min;
        }
        return value.compareTo(max) > 0 ? max : value;
    }
}
