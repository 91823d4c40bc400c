// SPDX-License-Identifier: Apache-2.0
package io.culvert.timing;

import java.time.Duration;

/**
 * Exponential back-off: a delay that doubles with each failure in a row.
 *
 * @param first the delay after one failure
 * @param longest the maximum delay
 */
public record BackOff(Duration first, Duration longest) {

    /**
     * Returns the delay after a number of failures in a row.
     *
     * @param failures from 1
     */
    public Duration afterFailures(int failures) {
        Duration delay = first;
        for (int i = 1; i < failures && delay.compareTo(longest) < 0; i++) {
            delay = next(delay);
        }
        return delay;
    }

    /** Returns the delay that follows a delay: twice as long, up to the maximum. */
    public Duration next(Duration delay) {
        Duration twice = delay.multipliedBy(2);
        return twice.compareTo(longest) < 0 ? twice : longest;
    }
}
