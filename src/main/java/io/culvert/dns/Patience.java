package io.culvert.dns;

import java.time.Duration;

/**
 * How long to wait for answers.
 *
 * @param server for one server, before the next is asked
 * @param all for all servers together, before the answer is a failure; a C library waits 5 seconds (resolv.conf(5))
 */
public record Patience(Duration server, Duration all) {

    /** Two servers get two chances each within the 5 seconds that a program waits for us. */
    public static final Patience USUAL = new Patience(Duration.ofMillis(1100), Duration.ofMillis(4500));

    /** For names of our own, without which nothing works: a satellite's or an overloaded router's resolver may take its time. */
    public static final Patience BOOTSTRAP = new Patience(Duration.ofMillis(1100), Duration.ofSeconds(9));

    /**
     * For a second question to servers that have answered a first one: some home routers never answer one for IPv6 addresses.
     *
     * @param took how long the first answer took
     */
    Duration afterAnswer(Duration took) {
        Duration twice = took.multipliedBy(2);
        Duration half = all.dividedBy(2);
        Duration enough = twice.compareTo(half) > 0 ? twice : half;
        return enough.compareTo(all) < 0 ? enough : all;
    }

    public Patience {
        if (server.isNegative() || server.isZero() || all.compareTo(server) < 0) {
            throw new IllegalArgumentException("the time for one server is positive and within the time for all");
        }
    }
}
