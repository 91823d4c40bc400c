// SPDX-License-Identifier: Apache-2.0
package io.culvert.requirements;

import io.culvert.diagnostics.Log;
import io.culvert.linux.HostLookup;
import io.culvert.linux.HostLookup.Result;
import io.culvert.net.Host;
import io.culvert.timing.BackOff;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * Looks up names by the machine's resolver, and waits for one that does not respond yet: while a machine starts, its
 * network and its resolver may come up last. A name that does not exist is not waited for. wg(8), which wg-quick uses,
 * waits in the same way: it repeats a lookup 15 times (WG_ENDPOINT_RESOLUTION_RETRIES), with delays from 1 to 13
 * seconds, 72 in total, in addition to the resolver's own timeouts.
 */
public final class ResolverWait {

    /** The maximum of a wait, with the resolver's own timeouts; about as long as that of wg with these. */
    private static final Duration LONGEST = Duration.ofMinutes(2);

    private static final BackOff DELAYS = new BackOff(Duration.ofMillis(500), Duration.ofSeconds(5));

    private final Log log;
    private final Runnable onWaiting;
    private final Function<String, Result> resolver;
    private final Duration longest;
    private final CompletableFuture<Result> stopped = new CompletableFuture<>();

    /** @param onWaiting called once, after the log line, when the wait begins */
    public ResolverWait(Log log, Runnable onWaiting) {
        this(log, onWaiting, HostLookup::of, LONGEST);
    }

    ResolverWait(Log log, Runnable onWaiting, Function<String, Result> resolver, Duration longest) {
        this.log = log;
        this.onWaiting = onWaiting;
        this.resolver = resolver;
        this.longest = longest;
    }

    /** Ends the wait, from any thread: {@link #lookUp} throws an exception, also if it is called later. */
    public void stop() {
        stopped.complete(new Result.Nonexistent());
    }

    /**
     * Looks up all names, and waits while the resolver does not respond. If it does not until the deadline, the results
     * of the remaining names are {@link Result.NoResponse}.
     *
     * @throws CancellationException if it is stopped
     */
    public Map<Host.Name, Result> lookUp(Collection<Host.Name> names) {
        Map<Host.Name, Result> results = new LinkedHashMap<>();
        long startedAt = System.nanoTime();
        long deadline = startedAt + longest.toNanos();
        boolean waited = false;
        for (Host.Name name : names) {
            for (int failures = 1; !results.containsKey(name); failures++) {
                Result result = attempt(name.name(), deadline);
                Duration left = Duration.ofNanos(deadline - System.nanoTime());
                if (!(result instanceof Result.NoResponse(String reason)) || !left.isPositive()) {
                    results.put(name, result);
                } else {
                    if (!waited) {
                        waited = true;
                        log.warn("dns: " + name + " cannot be resolved yet (" + reason + "); retrying for "
                                + longest.toSeconds() + " s");
                        onWaiting.run();
                    }
                    Duration delay = DELAYS.afterFailures(failures);
                    await(delay.compareTo(left) < 0 ? delay : left);
                }
            }
        }
        if (waited && results.values().stream().noneMatch(Result.NoResponse.class::isInstance)) {
            log.info("dns: the resolver responds after "
                    + Duration.ofNanos(System.nanoTime() - startedAt).toSeconds() + " s");
        }
        return results;
    }

    /** Looks up a name on another thread, as the C library's call cannot be ended. */
    private Result attempt(String name, long deadline) {
        CompletableFuture<Result> lookup = CompletableFuture.supplyAsync(
                () -> resolver.apply(name),
                task -> Thread.ofPlatform().daemon().name("names").start(task));
        return await(lookup.applyToEither(stopped, result -> result), Duration.ofNanos(deadline - System.nanoTime()));
    }

    private void await(Duration delay) {
        await(stopped, delay);
    }

    private Result await(CompletableFuture<Result> result, Duration timeout) {
        try {
            Result completed = result.get(Math.max(0, timeout.toNanos()), TimeUnit.NANOSECONDS);
            if (stopped.isDone()) {
                throw new CancellationException("stopped while waiting for the resolver");
            }
            return completed;
        } catch (TimeoutException _) {
            return new Result.NoResponse("no response (timeout)");
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted while waiting for the resolver");
        }
    }
}
