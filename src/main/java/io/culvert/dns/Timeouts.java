// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.time.Duration;

/**
 * The timeouts of DNS queries.
 *
 * @param perServer for one server, before the next is queried
 * @param total for all servers together, before the query fails; a C library waits 5 seconds (resolv.conf(5))
 */
public record Timeouts(Duration perServer, Duration total) {

    /** Allows two attempts at each of two servers within the 5 seconds that a program waits. */
    public static final Timeouts DEFAULT = new Timeouts(Duration.ofMillis(1100), Duration.ofMillis(4500));

    /**
     * For bootstrap DNS queries, without which nothing works: resolvers by satellite or on overloaded routers can be
     * slow.
     */
    public static final Timeouts BOOTSTRAP = new Timeouts(Duration.ofMillis(1100), Duration.ofSeconds(9));

    /**
     * Returns the timeout of a second query to servers that responded to a first one: some home routers never respond
     * to those for IPv6 addresses.
     *
     * @param firstResponse how long the first response took
     */
    Duration afterAnswer(Duration firstResponse) {
        Duration twice = firstResponse.multipliedBy(2);
        Duration half = total.dividedBy(2);
        Duration timeout = twice.compareTo(half) > 0 ? twice : half;
        return shorter(timeout, total);
    }

    static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    public Timeouts {
        if (perServer.isNegative() || perServer.isZero() || total.compareTo(perServer) < 0) {
            throw new IllegalArgumentException("the timeout of one server must be positive and at most that of all");
        }
    }
}
