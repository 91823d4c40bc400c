package io.culvert.network;

import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;

/** Tells when somebody else changes the network. Waiting costs nothing. */
public final class NetworkEvents implements AutoCloseable {

    /** {@code RTNLGRP_*} (include/uapi/linux/rtnetlink.h): links, addresses, routes and rules of both families. */
    private static final List<Integer> GROUPS = List.of(1, 5, 9, 7, 11, 8, 19);

    /** Changes that come one upon the other are told as one; a storm is cut, or it would never be told. */
    private static final int MOST_AT_ONCE = 1000;

    /** What a change was about. */
    public enum Subject {
        LINK,
        ADDRESS,
        ROUTE,
        RULE
    }

    /**
     * Something was changed, and not by us.
     *
     * @param subjects all four where the kernel lost count, and whenever a link changed: a link that goes down takes its
     *     IPv4 routes along without a word
     */
    public record Change(Set<Subject> subjects) {

        static final Change OF_EVERYTHING = new Change(EnumSet.allOf(Subject.class));

        public Change {
            subjects = Set.copyOf(subjects);
        }

        /** Whether everything has to be read anew. */
        public boolean everything() {
            return subjects.size() == Subject.values().length;
        }
    }

    private final EventSocket socket;
    private final IntPredicate own;

    /**
     * Listens from now on, in the calling thread's network namespace.
     *
     * @param own whether a port id is one of our own sockets', see {@link NetlinkSocket#portId()}
     */
    public static NetworkEvents open(IntPredicate own) {
        return new NetworkEvents(KernelNetlinkSocket.routeEvents(GROUPS), own);
    }

    NetworkEvents(NetlinkSocket socket, IntPredicate own) {
        this.socket = new EventSocket(socket);
        this.own = own;
    }

    /**
     * Waits for a change by somebody else: the kernel or another program.
     *
     * @return empty when there was none within the time, or this was closed
     */
    public Optional<Change> await(Duration atMost) {
        long start = System.nanoTime();
        Duration left = atMost;
        while (!socket.isClosed() && !left.isNegative()) {
            EnumSet<Subject> subjects = EnumSet.noneOf(Subject.class);
            List<NetlinkMessage> messages = socket.receive(left);
            for (int i = 0; i < MOST_AT_ONCE && !messages.isEmpty(); i++) {
                messages.forEach(message -> subjects.addAll(subjects(message)));
                messages = socket.receive(Duration.ZERO);
            }
            if (!subjects.isEmpty()) {
                return Optional.of(new Change(subjects));
            }
            left = atMost.minusNanos(System.nanoTime() - start);
        }
        return Optional.empty();
    }

    private Set<Subject> subjects(NetlinkMessage message) {
        if (message.type() == NetlinkSocket.OVERRUN) {
            return Change.OF_EVERYTHING.subjects();
        }
        if (own.test(message.portId())) {
            return Set.of();
        }
        return switch (message.type()) {
            case RtNetlink.RTM_NEWLINK, RtNetlink.RTM_DELLINK -> Change.OF_EVERYTHING.subjects();
            case RtNetlink.RTM_NEWADDR, RtNetlink.RTM_DELADDR -> Set.of(Subject.ADDRESS);
            case RtNetlink.RTM_NEWROUTE, RtNetlink.RTM_DELROUTE -> Set.of(Subject.ROUTE);
            case RtNetlink.RTM_NEWRULE, RtNetlink.RTM_DELRULE -> Set.of(Subject.RULE);
            default -> Set.of();
        };
    }

    /** From any thread; a wait elsewhere ends at once. */
    @Override
    public void close() {
        socket.close();
    }
}
