// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSockets;
import java.time.Duration;

/** Waits for changes of nftables, including those of this process. Waiting takes no CPU time. */
public final class RulesetEvents implements AutoCloseable {

    private final EventSocket socket;

    private RulesetEvents(NetlinkSocket socket) {
        this.socket = new EventSocket(socket);
    }

    /** Starts to listen, in the calling thread's network namespace. */
    public static RulesetEvents open(NetlinkSockets sockets) {
        return new RulesetEvents(sockets.rulesetEvents());
    }

    /** @return false if there was no change before the timeout, or this was closed */
    public boolean await(Duration atMost) {
        return !socket.receive(atMost).isEmpty();
    }

    /** Closes the socket, from any thread; a wait in another thread ends at once. */
    @Override
    public void close() {
        socket.close();
    }
}
