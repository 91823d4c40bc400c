// SPDX-License-Identifier: Apache-2.0
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
final class FairQueryQueue {

    private final int limit;
    private final int limitPerClient;
    private final Map<InetAddress, SequencedSet<Query>> clients = new HashMap<>();
    private int count;

    /**
     * @param limit the maximum of all clients together
     * @param limitPerClient the maximum of one client
     */
    FairQueryQueue(int limit, int limitPerClient) {
        this.limit = limit;
        this.limitPerClient = limitPerClient;
    }

    /** A query in flight; closed when it is answered or no longer needed. */
    final class Query implements AutoCloseable {

        private final InetSocketAddress client;
        private final Cancellation cancellation = new Cancellation();

        private Query(InetSocketAddress client) {
            this.client = client;
        }

        /** Runs the task until it is done or this query is dropped. */
        void run(Runnable task) {
            cancellation.run(task);
        }

        /** Returns whether the query was dropped in favour of another one. */
        boolean isDropped() {
            return cancellation.isCancelled();
        }

        /** Cancels the task and drops the query. */
        void drop() {
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
            SequencedSet<Query> ofClient = clients.computeIfAbsent(client.getAddress(), _ -> new LinkedHashSet<>());
            ofClient.addLast(query);
            count++;
            if (ofClient.size() > limitPerClient) {
                oldestOfBusiestSocket(ofClient).drop();
            } else if (count > limit) {
                clients.values().stream()
                        .max(Comparator.comparingInt(SequencedSet::size))
                        .ifPresent(largest -> oldestOfBusiestSocket(largest).drop());
            }
        }
        return query;
    }

    private static Query oldestOfBusiestSocket(SequencedSet<Query> ofClient) {
        Map<Integer, Integer> sockets = new HashMap<>();
        ofClient.forEach(query -> sockets.merge(query.client.getPort(), 1, Integer::sum));
        int busiest = Collections.max(sockets.values());
        return ofClient.stream()
                .filter(query -> sockets.getOrDefault(query.client.getPort(), 0) == busiest)
                .findFirst()
                .orElseThrow();
    }

    private synchronized void remove(Query query) {
        SequencedSet<Query> ofClient = clients.get(query.client.getAddress());
        if (ofClient != null && ofClient.remove(query)) {
            count--;
            if (ofClient.isEmpty()) {
                clients.remove(query.client.getAddress());
            }
        }
    }
}
