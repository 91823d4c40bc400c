// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSockets;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;

/** Waits for changes of the network by other programs or the kernel. Waiting takes no CPU time. */
public final class NetworkEvents implements AutoCloseable {

    /** {@code RTNLGRP_*} (include/uapi/linux/rtnetlink.h): links, addresses, routes and rules of both families. */
    private static final List<Integer> GROUPS = List.of(1, 5, 9, 7, 11, 8, 19);

    /**
     * The maximum number of events combined into one change. Without a limit, a continuous stream would never be
     * reported.
     */
    private static final int MAX_COMBINED = 1000;

    /** The subject of a change. */
    public enum Subject {
        LINK,
        ADDRESS,
        ROUTE,
        RULE
    }

    /**
     * A change that Culvert did not make.
     *
     * @param subjects all four if the kernel dropped events, and whenever a link changed: a link that goes down takes
     *     its IPv4 routes along without an event
     */
    public record Change(Set<Subject> subjects) {

        static final Change OF_ALL_SUBJECTS = new Change(EnumSet.allOf(Subject.class));

        public Change {
            subjects = Set.copyOf(subjects);
        }

        /** Returns whether everything has to be read again. */
        public boolean affectsEverything() {
            return subjects.size() == Subject.values().length;
        }
    }

    private final EventSocket socket;
    private final IntPredicate isOwnPort;

    /**
     * Starts to listen, in the calling thread's network namespace.
     *
     * @param isOwnPort whether a port id is that of one of this process's sockets, see {@link NetlinkSocket#portId()}
     */
    public static NetworkEvents open(IntPredicate isOwnPort) {
        return open(NetlinkSockets.KERNEL, isOwnPort);
    }

    /**
     * Starts to listen, in the calling thread's network namespace.
     *
     * @param isOwnPort whether a port id is that of one of this process's sockets, see {@link NetlinkSocket#portId()}
     */
    public static NetworkEvents open(NetlinkSockets sockets, IntPredicate isOwnPort) {
        return new NetworkEvents(sockets.routeEvents(GROUPS), isOwnPort);
    }

    NetworkEvents(NetlinkSocket socket, IntPredicate isOwnPort) {
        this.socket = new EventSocket(socket);
        this.isOwnPort = isOwnPort;
    }

    /**
     * Waits for a change by the kernel or another program.
     *
     * @return empty if there was none before the timeout, or this was closed
     */
    public Optional<Change> await(Duration atMost) {
        long start = System.nanoTime();
        Duration remaining = atMost;
        while (!socket.isClosed() && !remaining.isNegative()) {
            EnumSet<Subject> subjects = EnumSet.noneOf(Subject.class);
            List<NetlinkMessage> messages = socket.receive(remaining);
            for (int i = 0; i < MAX_COMBINED && !messages.isEmpty(); i++) {
                messages.forEach(message -> subjects.addAll(subjects(message)));
                messages = socket.receive(Duration.ZERO);
            }
            if (!subjects.isEmpty()) {
                return Optional.of(new Change(subjects));
            }
            remaining = atMost.minusNanos(System.nanoTime() - start);
        }
        return Optional.empty();
    }

    private Set<Subject> subjects(NetlinkMessage message) {
        if (message.type() == NetlinkSocket.OVERRUN) {
            return Change.OF_ALL_SUBJECTS.subjects();
        }
        if (isOwnPort.test(message.portId())) {
            return Set.of();
        }
        return switch (message.type()) {
            case RtNetlink.RTM_NEWLINK, RtNetlink.RTM_DELLINK -> Change.OF_ALL_SUBJECTS.subjects();
            case RtNetlink.RTM_NEWADDR, RtNetlink.RTM_DELADDR -> Set.of(Subject.ADDRESS);
            case RtNetlink.RTM_NEWROUTE, RtNetlink.RTM_DELROUTE -> Set.of(Subject.ROUTE);
            case RtNetlink.RTM_NEWRULE, RtNetlink.RTM_DELRULE -> Set.of(Subject.RULE);
            default -> Set.of();
        };
    }

    /** Closes the socket, from any thread; a wait in another thread ends at once. */
    @Override
    public void close() {
        socket.close();
    }
}
