package io.culvert.migration;

import java.time.Duration;
import java.time.Instant;

/**
 * The failed probes of an endpoint candidate, from which the time of the next one follows.
 *
 * @param failures in a row
 * @param signature of the path of the last failure; a candidate that is reached by another path counts as another one
 * @param notBefore when it may be probed again by the same path
 * @param notBeforeByAnother when it may be probed again by another path
 */
record Trial(int failures, String signature, Instant notBefore, Instant notBeforeByAnother) {

    static final Trial NONE = new Trial(0, "", Instant.MIN, Instant.MIN);

    /**
     * Any host on a link can answer for an address, each time with another hardware address. So after the first change
     * of the path further ones are delayed, which limits the interruption by a malicious host to a second per minute.
     */
    private static final Duration BETWEEN_WAYS = Duration.ofSeconds(1);

    private static final Duration LONGEST_BETWEEN_WAYS = Duration.ofMinutes(1);

    /** The delay after a failed probe, which interrupts traffic for up to a second. */
    private static final Duration AFTER_REFUSAL = Duration.ofSeconds(30);

    private static final Duration LONGEST_AFTER_REFUSAL = Duration.ofHours(1);

    /** The delay after an endpoint was lost, which may work again soon, as when a cable is plugged in again. */
    private static final Duration AFTER_LOSS = Duration.ofSeconds(1);

    private static final Duration LONGEST_AFTER_LOSS = Duration.ofMinutes(2);

    /** Returns the history after a probe without a response. */
    Trial refused(Way way, Instant now) {
        return new Trial(
                failures + 1,
                way.signature(),
                now.plus(doubled(AFTER_REFUSAL, failures, LONGEST_AFTER_REFUSAL)),
                failures == 0 ? now : now.plus(doubled(BETWEEN_WAYS, failures - 1, LONGEST_BETWEEN_WAYS)));
    }

    /** Returns the history after the loss of an endpoint that worked, which delays the next probe by any path. */
    Trial lost(Instant now) {
        Instant again = now.plus(doubled(AFTER_LOSS, failures, LONGEST_AFTER_LOSS));
        return new Trial(failures + 1, "", again, again);
    }

    boolean allows(Way way, Instant now) {
        boolean another = !signature.isEmpty() && !signature.equals(way.signature());
        return !now.isBefore(another ? notBeforeByAnother : notBefore);
    }

    private static Duration doubled(Duration first, int times, Duration most) {
        Duration wait = first;
        for (int i = 0; i < times && wait.compareTo(most) < 0; i++) {
            wait = wait.multipliedBy(2);
        }
        return wait.compareTo(most) < 0 ? wait : most;
    }
}
