package io.culvert.network;

import io.culvert.netlink.KernelNetlinkSocket;
import java.time.Duration;

/** Tells when somebody changes nftables, ourselves included. Waiting costs nothing. */
public final class RulesetEvents implements AutoCloseable {

    private final EventSocket socket = new EventSocket(KernelNetlinkSocket.rulesetEvents());

    private RulesetEvents() {}

    /** Listens from now on, in the calling thread's network namespace. */
    public static RulesetEvents open() {
        return new RulesetEvents();
    }

    /** @return false when there was no change within the time, or this was closed */
    public boolean await(Duration atMost) {
        return !socket.receive(atMost).isEmpty();
    }

    /** From any thread; a wait elsewhere ends at once. */
    @Override
    public void close() {
        socket.close();
    }
}
