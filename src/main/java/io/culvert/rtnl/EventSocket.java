// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A netlink socket for events on which one thread waits while another one may close it, so that a closed socket is
 * never read.
 */
final class EventSocket implements AutoCloseable {

    private final NetlinkSocket socket;
    private final ReentrantLock waiting = new ReentrantLock();
    private volatile boolean closed;

    EventSocket(NetlinkSocket socket) {
        this.socket = socket;
    }

    /** Returns the notifications; none if the timeout passed or the socket was closed. */
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

    /** Closes the socket, from any thread; a wait in another thread ends at once. */
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
