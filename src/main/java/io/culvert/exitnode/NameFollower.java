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

/** Follows the names that the plan depends on; the first look at each is at once, and never waits for an answer. */
final class NameFollower implements AutoCloseable {

    private static final Resolution NOTHING_YET = new Resolution(List.of(), Duration.ZERO, false, List.of());

    /** A name whose resolver is slow or silent keeps its thread for many seconds, and others are not to wait for it. */
    private static final int AT_ONCE = 4;

    private final Function<Host.Name, Resolution> look;
    private final Runnable changed;
    private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(
            AT_ONCE, work -> Thread.ofPlatform().daemon().name("names").unstarted(work));
    private final Map<Host.Name, NameWatch> watches = new HashMap<>();
    private final Map<Host.Name, List<InetAddress>> known = new HashMap<>();

    /**
     * @param look resolves a name, on several threads; may take seconds
     * @param changed is told when a name has other addresses than before, on several threads
     */
    NameFollower(Function<Host.Name, Resolution> look, Runnable changed) {
        this.look = look;
        this.changed = changed;
    }

    /** From now on these names are followed, and no others; what is known of others is kept. */
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

    /** Looks at all of them again, for who has reason to doubt them. */
    synchronized void lookNow() {
        watches.values().forEach(NameWatch::lookNow);
    }

    /**
     * The next address of each comes first now, as the first one does not answer. A watch tells only of other addresses, not of
     * another order, so this lasts.
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
