// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Host;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One name of a {@link NameTracker}. A failure to resolve it changes nothing. */
final class TrackedName implements AutoCloseable {

    private final Host.Name name;
    private final Function<Host.Name, ResolutionResult> resolver;
    private final TrackingPolicy policy;
    private final Consumer<ResolutionResult> onChange;
    private final ScheduledExecutorService scheduler;

    private final Object resolveLock = new Object();
    private List<InetAddress> lastAddresses;
    private int failures;
    private int requests;
    private @Nullable Future<?> next;
    private boolean closed;

    /**
     * Tracks a name from its known addresses on, which are not passed to {@code onChange} again.
     *
     * @param resolver resolves the name; runs on the scheduler and may take seconds
     * @param onChange receives changed addresses; runs on the scheduler, never concurrently
     */
    TrackedName(
            Host.Name name,
            ResolutionResult first,
            Function<Host.Name, ResolutionResult> resolver,
            TrackingPolicy policy,
            Consumer<ResolutionResult> onChange,
            ScheduledExecutorService scheduler) {
        this.name = name;
        this.resolver = resolver;
        this.policy = policy;
        this.onChange = onChange;
        this.scheduler = scheduler;
        this.lastAddresses = first.addresses();
        schedule(delay(first));
    }

    /** Resolves the name at once, for callers with reason to doubt the addresses. */
    synchronized void checkNow() {
        requests++;
        schedule(Optional.of(Duration.ZERO));
    }

    @Override
    public synchronized void close() {
        closed = true;
        cancel();
    }

    private void check() {
        synchronized (resolveLock) {
            int before = requests();
            ResolutionResult result = ResolutionResult.NO_RESPONSE;
            try {
                result = resolver.apply(name);
                if (result.fresh() && update(result.addresses())) {
                    onChange.accept(result);
                }
            } finally {
                scheduleUnlessRequested(before, delay(result));
            }
        }
    }

    private synchronized int requests() {
        return requests;
    }

    /** A call of {@link #checkNow} during this attempt requests another one, which is scheduled already. */
    private synchronized void scheduleUnlessRequested(int before, Optional<Duration> delay) {
        if (requests == before) {
            schedule(delay);
        }
    }

    private synchronized boolean update(List<InetAddress> addresses) {
        boolean changed = policy.isChange(lastAddresses, addresses);
        lastAddresses = addresses;
        return changed && !closed;
    }

    private synchronized Optional<Duration> delay(ResolutionResult result) {
        if (result.fresh()) {
            failures = 0;
            return policy.afterSuccess(name, result.ttl());
        }
        failures++;
        return policy.afterFailure(name, failures);
    }

    private synchronized void schedule(Optional<Duration> delay) {
        cancel();
        if (!closed && delay.isPresent()) {
            try {
                next = scheduler.schedule(this::check, delay.get().toMillis(), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException _) {
                // The scheduler is shut down, and so is the tracker.
            }
        }
    }

    private synchronized void cancel() {
        if (next != null) {
            next.cancel(false);
        }
    }
}
