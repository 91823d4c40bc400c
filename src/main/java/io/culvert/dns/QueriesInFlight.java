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
 * The queries in flight, shared fairly between clients. If there are too many, the oldest query of the client that has
 * the most is dropped: most queries are answered within milliseconds, so those that hang are dropped. Programs that
 * share an address, as on loopback, are distinguished by their sockets: one that sends many queries by one socket loses
 * its own.
 */
final class QueriesInFlight {

    private final int most;
    private final int mostOfOne;
    private final Map<InetAddress, SequencedSet<Query>> clients = new HashMap<>();
    private int count;

    /**
     * @param most the maximum of all clients together
     * @param mostOfOne the maximum of one client
     */
    QueriesInFlight(int most, int mostOfOne) {
        this.most = most;
        this.mostOfOne = mostOfOne;
    }

    /** A query in flight; closed when it is answered or no longer needed. */
    final class Query implements AutoCloseable {

        private final InetSocketAddress client;
        private final Cancellation cancellation = new Cancellation();

        private Query(InetSocketAddress client) {
            this.client = client;
        }

        /** Runs the task until it is done or this query is dropped. */
        void run(Runnable work) {
            cancellation.run(work);
        }

        /** Returns whether the query was dropped in favour of another one. */
        boolean isGivenUp() {
            return cancellation.isCancelled();
        }

        /** Cancels the task and drops the query. */
        void giveUp() {
            cancellation.cancel();
            close();
        }

        @Override
        public void close() {
            remove(this);
        }
    }

    /** Admits a query, dropping another one if there are too many. */
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
