// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.time.Duration;

/**
 * Exponential back-off between restarts of a child: the delay doubles with each failure in a row.
 *
 * @param initial the delay after one failure
 * @param longest the maximum delay
 * @param stableAfter the run time after which a child counts as recovered, so that its next exit is a first failure again
 */
public record BackOff(Duration initial, Duration longest, Duration stableAfter) {

    /**
     * Short enough that a single crash is hardly noticed, long enough that a broken program costs almost no CPU time.
     */
    public static final BackOff DEFAULT =
            new BackOff(Duration.ofMillis(100), Duration.ofSeconds(30), Duration.ofMinutes(1));

    /**
     * Returns the delay before the next start.
     *
     * @param failures the number of failures in a row, from 1
     */
    Duration delayAfter(int failures) {
        Duration delay = initial;
        for (int i = 1; i < failures && delay.compareTo(longest) < 0; i++) {
            delay = delay.multipliedBy(2);
        }
        return delay.compareTo(longest) < 0 ? delay : longest;
    }
}
