package io.culvert.network;

import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkSocket;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/** Tells when somebody changes nftables, ourselves included. Waiting costs nothing. */
public final class RulesetEvents implements AutoCloseable {

    private final NetlinkSocket socket = KernelNetlinkSocket.rulesetEvents();
    private final ReentrantLock waiting = new ReentrantLock();
    private volatile boolean closed;

    private RulesetEvents() {}

    /** Listens from now on, in the calling thread's network namespace. */
    public static RulesetEvents open() {
        return new RulesetEvents();
    }

    /** @return false when there was no change within the time, or this was closed */
    public boolean await(Duration atMost) {
        waiting.lock();
        try {
            return !closed && !socket.receive(atMost).isEmpty();
        } finally {
            waiting.unlock();
        }
    }

    /** From any thread; a wait elsewhere ends at once. */
    @Override
    public void close() {
        closed = true;
        socket.wake();
        waiting.lock();
        try {
            socket.close();
        } finally {
            waiting.unlock();
        }
    }
}
