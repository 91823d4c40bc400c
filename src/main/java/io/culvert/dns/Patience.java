package io.culvert.dns;

import java.time.Duration;

/**
 * The timeouts of DNS queries.
 *
 * @param server for one server, before the next is queried
 * @param all for all servers together, before the query fails; a C library waits 5 seconds (resolv.conf(5))
 */
public record Patience(Duration server, Duration all) {

    /** Allows two attempts at each of two servers within the 5 seconds that a program waits. */
    public static final Patience USUAL = new Patience(Duration.ofMillis(1100), Duration.ofMillis(4500));

    /**
     * For bootstrap DNS queries, without which nothing works: resolvers by satellite or on overloaded routers can be
     * slow.
     */
    public static final Patience BOOTSTRAP = new Patience(Duration.ofMillis(1100), Duration.ofSeconds(9));

    /**
     * Returns the timeout of a second query to servers that responded to a first one: some home routers never answer
     * those for IPv6 addresses.
     *
     * @param took how long the first response took
     */
    Duration afterAnswer(Duration took) {
        Duration twice = took.multipliedBy(2);
        Duration half = all.dividedBy(2);
        Duration enough = twice.compareTo(half) > 0 ? twice : half;
        return enough.compareTo(all) < 0 ? enough : all;
    }

    public Patience {
        if (server.isNegative() || server.isZero() || all.compareTo(server) < 0) {
            throw new IllegalArgumentException("the timeout of one server must be positive and at most that of all");
        }
    }
}
