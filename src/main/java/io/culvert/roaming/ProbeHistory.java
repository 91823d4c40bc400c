// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import io.culvert.timing.BackOff;
import java.time.Duration;
import java.time.Instant;

/**
 * The failed probes of an endpoint candidate, from which the time of the next one follows.
 *
 * @param failures in a row
 * @param signature of the path of the last failure; a candidate that is reached by another path counts as another one
 * @param notBefore when it may be probed again by the same path
 * @param notBeforeByOtherPath when it may be probed again by another path
 */
record ProbeHistory(int failures, String signature, Instant notBefore, Instant notBeforeByOtherPath) {

    static final ProbeHistory NONE = new ProbeHistory(0, "", Instant.MIN, Instant.MIN);

    /**
     * Any host on a link can respond for an address, each time with another hardware address. So after the first change
     * of the path further ones are delayed, which limits the interruption by a malicious host to a second per minute.
     */
    private static final BackOff PATH_CHANGE_DELAYS = new BackOff(Duration.ofSeconds(1), Duration.ofMinutes(1));

    /** The delays after failed probes, each of which interrupts traffic for up to a second. */
    private static final BackOff FAILURE_DELAYS = new BackOff(Duration.ofSeconds(30), Duration.ofHours(1));

    /** The delays after an endpoint was lost, which may work again soon, as when a cable is plugged in again. */
    private static final BackOff LOSS_DELAYS = new BackOff(Duration.ofSeconds(1), Duration.ofMinutes(2));

    /** Returns the history after a probe without a response. */
    ProbeHistory afterFailure(Path path, Instant now) {
        return new ProbeHistory(
                failures + 1,
                path.signature(),
                now.plus(FAILURE_DELAYS.afterFailures(failures + 1)),
                failures == 0 ? now : now.plus(PATH_CHANGE_DELAYS.afterFailures(failures)));
    }

    /** Returns the history after the loss of an endpoint that worked, which delays the next probe by any path. */
    ProbeHistory afterLoss(Instant now) {
        Instant retryAt = now.plus(LOSS_DELAYS.afterFailures(failures + 1));
        return new ProbeHistory(failures + 1, "", retryAt, retryAt);
    }

    boolean mayProbe(Path path, Instant now) {
        boolean otherPath = !signature.isEmpty() && !signature.equals(path.signature());
        return !now.isBefore(otherPath ? notBeforeByOtherPath : notBefore);
    }
}
