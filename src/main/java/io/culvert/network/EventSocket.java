package io.culvert.network;

import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** A socket of the kernel's events on which one thread waits while another may close it: nobody reads from a closed socket. */
final class EventSocket implements AutoCloseable {

    private final NetlinkSocket socket;
    private final ReentrantLock waiting = new ReentrantLock();
    private volatile boolean closed;

    EventSocket(NetlinkSocket socket) {
        this.socket = socket;
    }

    /** What has come; nothing when nothing came within the time, or this was closed. */
    List<NetlinkMessage> receive(Duration atMost) {
        waiting.lock();
        try {
            return closed ? List.of() : socket.receive(atMost);
        } finally {
            waiting.unlock();
        }
    }

    boolean isClosed() {
        return closed;
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
