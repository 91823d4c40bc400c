package io.culvert.exitnode;

import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.network.NetworkEvents;
import io.culvert.run.Kernel;
import java.time.Duration;

/** Wakes the chain when somebody else changes links, addresses, routes, rules or nftables. Waiting costs nothing. */
final class Watchers implements AutoCloseable {

    private static final Duration FOREVER = Duration.ofDays(1);

    private final NetworkEvents network;
    private final KernelNetlinkSocket ruleset;
    private volatile boolean closed;

    private Watchers(NetworkEvents network, KernelNetlinkSocket ruleset) {
        this.network = network;
        this.ruleset = ruleset;
    }

    /** Listens in the calling thread's network namespace, on threads of their own. */
    static Watchers start(Kernel kernel, Wakeups wakeups) {
        int own = kernel.route().portId();
        Watchers watchers = new Watchers(NetworkEvents.open(port -> port == own), KernelNetlinkSocket.rulesetEvents());
        Thread.ofPlatform().daemon().name("network events").start(() -> watchers.watchNetwork(wakeups));
        Thread.ofPlatform().daemon().name("ruleset events").start(() -> watchers.watchRuleset(wakeups));
        return watchers;
    }

    private void watchNetwork(Wakeups wakeups) {
        while (!closed) {
            network.await(FOREVER).ifPresent(_ -> wakeups.add(new Event.NetworkChanged()));
        }
    }

    private void watchRuleset(Wakeups wakeups) {
        while (!closed) {
            if (!ruleset.receive(FOREVER).isEmpty()) {
                wakeups.add(new Event.RulesetChanged());
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        network.close();
        ruleset.wake();
    }
}
