package io.culvert.exitnode;

import io.culvert.dns.NameWatch;
import io.culvert.dns.Resolution;
import io.culvert.ip.Host;
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
final class NameFollower implements AutoCloseable {

    private static final Resolution NOTHING_YET = new Resolution(List.of(), Duration.ZERO, false, List.of());

    /**
     * Threads: one that queries a slow or unresponsive resolver is busy for many seconds and must not delay other
     * names.
     */
    private static final int AT_ONCE = 4;

    private final Function<Host.Name, Resolution> look;
    private final Runnable changed;
    private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(
            AT_ONCE, work -> Thread.ofPlatform().daemon().name("names").unstarted(work));
    private final Map<Host.Name, NameWatch> watches = new HashMap<>();
    private final Map<Host.Name, List<InetAddress>> known = new HashMap<>();

    /**
     * @param look resolves a name, called on several threads; may take seconds
     * @param changed called on several threads whenever the addresses of a name have changed
     */
    NameFollower(Function<Host.Name, Resolution> look, Runnable changed) {
        this.look = look;
        this.changed = changed;
    }

    /** Sets the names to track; the known addresses of other names are kept. */
    synchronized void follow(Set<Host.Name> names) {
        watches.entrySet().removeIf(entry -> {
            boolean gone = !names.contains(entry.getKey());
            if (gone) {
                entry.getValue().close();
            }
            return gone;
        });
        for (Host.Name name : names) {
            watches.computeIfAbsent(name, this::watch);
        }
    }

    /** Resolves all names again. */
    synchronized void lookNow() {
        watches.values().forEach(NameWatch::lookNow);
    }

    /**
     * Moves the first address of each name, which does not respond, to the end of its list. A {@link NameWatch} reports
     * only other addresses, not another order, so the new order persists.
     */
    void tryOthers(Set<Host.Name> names) {
        boolean turned = false;
        synchronized (this) {
            for (Host.Name name : names) {
                List<InetAddress> addresses = known.getOrDefault(name, List.of());
                if (addresses.size() > 1) {
                    List<InetAddress> others = new ArrayList<>(addresses);
                    Collections.rotate(others, -1);
                    known.put(name, List.copyOf(others));
                    turned = true;
                }
            }
        }
        if (turned) {
            changed.run();
        }
    }

    synchronized Map<Host.Name, List<InetAddress>> known() {
        return Map.copyOf(known);
    }

    private NameWatch watch(Host.Name name) {
        NameWatch watch = new NameWatch(NOTHING_YET, () -> look.apply(name), found -> learn(name, found), scheduler);
        watch.lookNow();
        return watch;
    }

    private void learn(Host.Name name, Resolution found) {
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
