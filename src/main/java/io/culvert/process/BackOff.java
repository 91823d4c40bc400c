package io.culvert.process;

import java.time.Duration;

/**
 * How long to wait before a child is started again: twice as long after each failure in a row.
 *
 * @param first wait, after one failure
 * @param most at most this
 * @param steady a child that ran this long had recovered: its end counts as the first failure again
 */
public record BackOff(Duration first, Duration most, Duration steady) {

    /** Quick enough that one crash is hardly noticed, slow enough that a broken program costs nothing to speak of. */
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
