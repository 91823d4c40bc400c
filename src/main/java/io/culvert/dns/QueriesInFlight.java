package io.culvert.dns;

import io.culvert.linux.Cancellation;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedSet;

/**
 * The queries that are being answered, in fair shares between clients. When there are too many, the oldest one of the client
 * that has the most is given up: what can be answered is answered within milliseconds, so it is the unanswerable that goes.
 * Programs that share an address, as on loopback, are told apart by their sockets: one that asks many questions by one socket
 * gives up its own.
 */
final class QueriesInFlight {

    private final int most;
    private final int mostOfOne;
    private final Map<InetAddress, SequencedSet<Query>> clients = new HashMap<>();
    private int count;

    /**
     * @param most of all clients together
     * @param mostOfOne of one client
     */
    QueriesInFlight(int most, int mostOfOne) {
        this.most = most;
        this.mostOfOne = mostOfOne;
    }

    /** A query on its way; closed when it is answered, and when nobody waits for it any more. */
    final class Query implements AutoCloseable {

        private final InetSocketAddress client;
        private final Cancellation cancellation = new Cancellation();

        private Query(InetSocketAddress client) {
            this.client = client;
        }

        /** Does the work, until it is done or this is given up. */
        void run(Runnable work) {
            cancellation.run(work);
        }

        /** Whether another query took its place. */
        boolean isGivenUp() {
            return cancellation.isCancelled();
        }

        /** Ends what is done for it. */
        void giveUp() {
            cancellation.cancel();
            close();
        }

        @Override
        public void close() {
            remove(this);
        }
    }

    /** Takes a query in, whoever has to go for it. */
    Query admit(InetSocketAddress client) {
        Query query = new Query(client);
        synchronized (this) {
            SequencedSet<Query> own = clients.computeIfAbsent(client.getAddress(), _ -> new LinkedHashSet<>());
            own.addLast(query);
            count++;
            if (own.size() > mostOfOne) {
                oldestOfBusiest(own).giveUp();
            } else if (count > most) {
                clients.values().stream()
                        .max(Comparator.comparingInt(SequencedSet::size))
                        .ifPresent(largest -> oldestOfBusiest(largest).giveUp());
            }
        }
        return query;
    }

    private static Query oldestOfBusiest(SequencedSet<Query> own) {
        Map<Integer, Integer> sockets = new HashMap<>();
        own.forEach(query -> sockets.merge(query.client.getPort(), 1, Integer::sum));
        int busiest = Collections.max(sockets.values());
        return own.stream()
                .filter(query -> sockets.getOrDefault(query.client.getPort(), 0) == busiest)
                .findFirst()
                .orElseThrow();
    }

    private synchronized void remove(Query query) {
        SequencedSet<Query> own = clients.get(query.client.getAddress());
        if (own != null && own.remove(query)) {
            count--;
            if (own.isEmpty()) {
                clients.remove(query.client.getAddress());
            }
        }
    }
}
