// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import io.culvert.linux.Errno;
import io.culvert.timing.BackOff;
import io.culvert.timing.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Sockets that repeat requests which the kernel refuses for a reason that passes: a signal, a lock that another program holds,
 * too little memory at this moment. Without this, a start would end because of one, and repairs of the kill switch would wait
 * for the next reconciliation each time. What is still refused after {@link #ATTEMPTS} is the caller's.
 */
public final class RepeatedRequests implements NetlinkSockets {

    /** With {@link #PAUSES}, a request takes at most 150 ms longer: a kernel that always refuses it must not stop the program. */
    static final int ATTEMPTS = 5;

    private static final BackOff PAUSES = new BackOff(Duration.ofMillis(10), Duration.ofMillis(80));

    /** The kernel has not carried out what it refuses with one of these. */
    private static final Set<Integer> PASSING =
            Set.of(Errno.EINTR, Errno.EAGAIN, Errno.ENOMEM, Errno.EBUSY, Errno.ENOBUFS);

    private final NetlinkSockets sockets;
    private final Threads threads;

    private RepeatedRequests(NetlinkSockets sockets, Threads threads) {
        this.sockets = sockets;
        this.threads = threads;
    }

    /** @param threads with which to wait between attempts */
    public static NetlinkSockets of(NetlinkSockets sockets, Threads threads) {
        return sockets instanceof RepeatedRequests ? sockets : new RepeatedRequests(sockets, threads);
    }

    @Override
    public NetlinkSocket route() {
        return new Socket(sockets.route());
    }

    @Override
    public NetlinkSocket routeEvents(List<Integer> groups) {
        return sockets.routeEvents(groups);
    }

    @Override
    public NetlinkSocket netfilter() {
        return new Socket(sockets.netfilter());
    }

    @Override
    public NetlinkSocket rulesetEvents() {
        return sockets.rulesetEvents();
    }

    @Override
    public NetlinkSocket generic() {
        return new Socket(sockets.generic());
    }

    private final class Socket implements NetlinkSocket {

        private final NetlinkSocket socket;

        Socket(NetlinkSocket socket) {
            this.socket = socket;
        }

        @Override
        public List<Outcome> execute(List<NetlinkMessage> requests) {
            List<Outcome> outcomes = new ArrayList<>(socket.execute(requests));
            for (int attempt = 1; attempt < ATTEMPTS; attempt++) {
                List<Integer> failed = failedFromFirstPassing(outcomes);
                if (failed.isEmpty() || !pause(attempt)) {
                    break;
                }
                List<Outcome> repeated =
                        socket.execute(failed.stream().map(requests::get).toList());
                for (int i = 0; i < failed.size(); i++) {
                    outcomes.set(failed.get(i), repeated.get(i));
                }
            }
            return List.copyOf(outcomes);
        }

        /** Returns what to repeat: later requests may have failed because an earlier one was not carried out. */
        private static List<Integer> failedFromFirstPassing(List<Outcome> outcomes) {
            List<Integer> failed = new ArrayList<>();
            for (int i = 0; i < outcomes.size(); i++) {
                Outcome outcome = outcomes.get(i);
                if (PASSING.contains(outcome.errno()) || (!failed.isEmpty() && !outcome.succeeded())) {
                    failed.add(i);
                }
            }
            return failed;
        }

        @Override
        public Optional<Refusal> executeTransaction(List<NetlinkMessage> batch) {
            Optional<Refusal> refusal = socket.executeTransaction(batch);
            for (int attempt = 1; attempt < ATTEMPTS; attempt++) {
                if (refusal.filter(it -> PASSING.contains(it.outcome().errno())).isEmpty() || !pause(attempt)) {
                    break;
                }
                refusal = socket.executeTransaction(batch);
            }
            return refusal;
        }

        @Override
        public List<NetlinkMessage> dump(NetlinkMessage request) {
            return repeated(() -> socket.dump(request));
        }

        @Override
        public List<NetlinkMessage> query(NetlinkMessage request) {
            return repeated(() -> socket.query(request));
        }

        private List<NetlinkMessage> repeated(Supplier<List<NetlinkMessage>> request) {
            for (int attempt = 1; ; attempt++) {
                try {
                    return request.get();
                } catch (NetlinkException e) {
                    if (!PASSING.contains(e.errno()) || attempt >= ATTEMPTS || !pause(attempt)) {
                        throw e;
                    }
                }
            }
        }

        @Override
        public List<NetlinkMessage> receive(Duration atMost) {
            return socket.receive(atMost);
        }

        @Override
        public void wake() {
            socket.wake();
        }

        @Override
        public int portId() {
            return socket.portId();
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    /** @return false if the thread was interrupted, and is to end */
    private boolean pause(int attempt) {
        try {
            threads.pause(PAUSES.afterFailures(attempt));
            return true;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
