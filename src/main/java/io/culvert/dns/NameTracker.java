// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Host;
import io.culvert.timing.Threads;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;

/**
 * Tracks the addresses of a set of host names: resolves them again as a policy says, without blocking the caller, and
 * reports when the addresses of one have changed.
 */
public final class NameTracker implements AutoCloseable {

    /**
     * Threads: one that queries a slow or unresponsive resolver is busy for many seconds and must not delay other
     * names.
     */
    private static final int THREADS = 4;

    private final Function<Host.Name, ResolutionResult> resolver;
    private final TrackingPolicy policy;
    private final Runnable changed;
    private final ScheduledExecutorService scheduler;
    private final Map<Host.Name, TrackedName> tracked = new HashMap<>();
    private final Map<Host.Name, List<InetAddress>> addressesByName = new HashMap<>();

    /**
     * @param resolver resolves a name, called on several threads; may take seconds
     * @param changed called on several threads whenever the addresses of a name have changed
     */
    public NameTracker(Function<Host.Name, ResolutionResult> resolver, TrackingPolicy policy, Runnable changed) {
        this(resolver, policy, changed, Threads.SYSTEM);
    }

    /**
     * @param resolver resolves a name, called on several threads; may take seconds
     * @param changed called on several threads whenever the addresses of a name have changed
     * @param threads on which names are resolved
     */
    public NameTracker(
            Function<Host.Name, ResolutionResult> resolver, TrackingPolicy policy, Runnable changed, Threads threads) {
        this.scheduler = threads.scheduler("names", THREADS);
        this.resolver = resolver;
        this.policy = policy;
        this.changed = changed;
    }

    /** Sets the names to track; new ones are resolved at once. The known addresses of other names are kept. */
    public synchronized void track(Set<Host.Name> names) {
        retain(names);
        for (Host.Name name : names) {
            if (!tracked.containsKey(name)) {
                start(name, ResolutionResult.NO_RESPONSE).checkNow();
            }
        }
    }

    /** Sets the names to track, which the caller has just resolved. These results are not reported. */
    public synchronized void track(Map<Host.Name, ResolutionResult> results) {
        retain(Set.of());
        results.forEach((name, result) -> {
            if (result.fresh()) {
                addressesByName.put(name, result.addresses());
            }
            start(name, result);
        });
    }

    /** Resolves all names again. */
    public synchronized void checkNow() {
        tracked.values().forEach(TrackedName::checkNow);
    }

    /**
     * Moves the first address of each name, which does not respond, to the end of its list. With a policy that ignores
     * the order ({@link TrackingPolicy#BY_TTL}), the new order persists until there are other addresses.
     */
    public void useNextAddresses(Set<Host.Name> names) {
        boolean rotated = false;
        synchronized (this) {
            for (Host.Name name : names) {
                List<InetAddress> addresses = addressesByName.getOrDefault(name, List.of());
                if (addresses.size() > 1) {
                    List<InetAddress> reordered = new ArrayList<>(addresses);
                    Collections.rotate(reordered, -1);
                    addressesByName.put(name, List.copyOf(reordered));
                    rotated = true;
                }
            }
        }
        if (rotated) {
            changed.run();
        }
    }

    /** Returns the addresses of all names that have been resolved. */
    public synchronized Map<Host.Name, List<InetAddress>> addressesByName() {
        return Map.copyOf(addressesByName);
    }

    @Override
    public synchronized void close() {
        retain(Set.of());
        scheduler.shutdownNow();
    }

    private TrackedName start(Host.Name name, ResolutionResult first) {
        TrackedName started =
                new TrackedName(name, first, resolver, policy, result -> update(name, result.addresses()), scheduler);
        tracked.put(name, started);
        return started;
    }

    private void retain(Set<Host.Name> names) {
        tracked.entrySet().removeIf(entry -> {
            boolean gone = !names.contains(entry.getKey());
            if (gone) {
                entry.getValue().close();
            }
            return gone;
        });
    }

    private void update(Host.Name name, List<InetAddress> addresses) {
        synchronized (this) {
            addressesByName.put(name, addresses);
        }
        changed.run();
    }
}
