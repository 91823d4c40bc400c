package io.culvert.process;

import java.time.Duration;

/**
 * Exponential back-off between restarts of a child: the delay doubles with each failure in a row.
 *
 * @param first the delay after one failure
 * @param most the maximum delay
 * @param steady the run time after which a child counts as recovered, so that its next exit is a first failure again
 */
public record BackOff(Duration first, Duration most, Duration steady) {

    /**
     * Short enough that a single crash is hardly noticed, long enough that a broken program costs almost no CPU time.
     */
    public static final BackOff USUAL =
            new BackOff(Duration.ofMillis(100), Duration.ofSeconds(30), Duration.ofMinutes(1));

    /** @param failures in a row, from 1 */
    Duration after(int failures) {
        Duration wait = first;
        for (int i = 1; i < failures && wait.compareTo(most) < 0; i++) {
            wait = wait.multipliedBy(2);
        }
        return wait.compareTo(most) < 0 ? wait : most;
    }
}
