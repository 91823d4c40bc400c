// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.dns.NameTracker;
import io.culvert.dns.ResolutionResult;
import io.culvert.net.Host;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;

/**
 * Tracks the addresses of the host names that the plan depends on; each is resolved at once, without blocking the
 * caller.
 */
final class TrackedNames implements AutoCloseable {

    private static final ResolutionResult NOTHING_YET =
            new ResolutionResult(List.of(), Duration.ZERO, false, List.of());

    /**
     * Threads: one that queries a slow or unresponsive resolver is busy for many seconds and must not delay other
     * names.
     */
    private static final int THREADS = 4;

    private final Function<Host.Name, ResolutionResult> resolver;
    private final Runnable changed;
    private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(
            THREADS, work -> Thread.ofPlatform().daemon().name("names").unstarted(work));
    private final Map<Host.Name, NameTracker> trackers = new HashMap<>();
    private final Map<Host.Name, List<InetAddress>> known = new HashMap<>();

    /**
     * @param resolver resolves a name, called on several threads; may take seconds
     * @param changed called on several threads whenever the addresses of a name have changed
     */
    TrackedNames(Function<Host.Name, ResolutionResult> resolver, Runnable changed) {
        this.resolver = resolver;
        this.changed = changed;
    }

    /** Sets the names to track; the known addresses of other names are kept. */
    synchronized void track(Set<Host.Name> names) {
        trackers.entrySet().removeIf(entry -> {
            boolean gone = !names.contains(entry.getKey());
            if (gone) {
                entry.getValue().close();
            }
            return gone;
        });
        for (Host.Name name : names) {
            trackers.computeIfAbsent(name, this::startTracker);
        }
    }

    /** Resolves all names again. */
    synchronized void checkNow() {
        trackers.values().forEach(NameTracker::checkNow);
    }

    /**
     * Moves the first address of each name, which does not respond, to the end of its list. A {@link NameTracker} reports
     * only other addresses, not another order, so the new order persists.
     */
    void useNextAddresses(Set<Host.Name> names) {
        boolean rotated = false;
        synchronized (this) {
            for (Host.Name name : names) {
                List<InetAddress> addresses = known.getOrDefault(name, List.of());
                if (addresses.size() > 1) {
                    List<InetAddress> reordered = new ArrayList<>(addresses);
                    Collections.rotate(reordered, -1);
                    known.put(name, List.copyOf(reordered));
                    rotated = true;
                }
            }
        }
        if (rotated) {
            changed.run();
        }
    }

    synchronized Map<Host.Name, List<InetAddress>> known() {
        return Map.copyOf(known);
    }

    private NameTracker startTracker(Host.Name name) {
        NameTracker tracker =
                new NameTracker(NOTHING_YET, () -> resolver.apply(name), found -> update(name, found), scheduler);
        tracker.checkNow();
        return tracker;
    }

    private void update(Host.Name name, ResolutionResult found) {
        synchronized (this) {
            known.put(name, found.addresses());
        }
        changed.run();
    }

    @Override
    public void close() {
        scheduler.shutdownNow();
    }
}
