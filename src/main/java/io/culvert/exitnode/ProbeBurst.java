// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import java.time.Duration;
import java.util.Optional;

/**
 * Probes through the tunnel, of which one answer is enough.
 *
 * @param kind what its result is for
 * @param generation of the tunnel's configuration for which it was requested
 * @param probes how many to send at most
 * @param interval between two probes
 * @param timeout for the answer to the last one
 */
record ProbeBurst(Kind kind, long generation, int probes, Duration interval, Duration timeout) {

    /** What a burst is for. */
    enum Kind {
        /** Measures loss and round trip. */
        SAMPLE,
        /** Decides whether the data path is dead. */
        DECISION
    }

    /**
     * The result of a burst.
     *
     * @param roundTrip of the first probe that was answered; empty if none was
     * @param late how much longer this process took for the whole burst than planned, because it was not scheduled
     */
    record Result(ProbeBurst burst, Optional<Duration> roundTrip, Duration late) {

        /** Returns whether no answer says nothing: this machine was too busy to receive one in time. */
        boolean isInconclusive() {
            return roundTrip.isEmpty() && late.compareTo(burst.timeout()) >= 0;
        }
    }

    /** Returns how long it takes if no probe is answered. */
    Duration duration() {
        return interval.multipliedBy(probes - 1L).plus(timeout);
    }
}
