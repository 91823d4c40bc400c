package io.culvert.migration;

import java.time.Duration;
import java.time.Instant;

/**
 * What came of earlier visits to a place, and so when the next one is worth it.
 *
 * @param failures in a row
 * @param signature of the way by which it failed; a place that is reached by another way is another place
 * @param notBefore when it may be visited again by the same way
 * @param notBeforeByAnother when it may be visited again by another way
 */
record Trial(int failures, String signature, Instant notBefore, Instant notBeforeByAnother) {

    static final Trial NONE = new Trial(0, "", Instant.MIN, Instant.MIN);

    /**
     * Anybody on a link can answer for an address, each time with another hardware address: after the first such change each
     * further one has to wait, so that nobody keeps a peer away from where it is for more than a second in a minute.
     */
    private static final Duration BETWEEN_WAYS = Duration.ofSeconds(1);

    private static final Duration LONGEST_BETWEEN_WAYS = Duration.ofMinutes(1);

    /** A place that does not answer costs its peer a second each time. */
    private static final Duration AFTER_REFUSAL = Duration.ofSeconds(30);

    private static final Duration LONGEST_AFTER_REFUSAL = Duration.ofHours(1);

    /** A place that was lost may be back soon, as when a cable is plugged in again. */
    private static final Duration AFTER_LOSS = Duration.ofSeconds(1);

    private static final Duration LONGEST_AFTER_LOSS = Duration.ofMinutes(2);

    /** It did not answer. */
    Trial refused(Way way, Instant now) {
        return new Trial(
                failures + 1,
                way.signature(),
                now.plus(doubled(AFTER_REFUSAL, failures, LONGEST_AFTER_REFUSAL)),
                failures == 0 ? now : now.plus(doubled(BETWEEN_WAYS, failures - 1, LONGEST_BETWEEN_WAYS)));
    }

    /** It answered before, and then no more: whatever way leads there, it is not to be trusted too soon. */
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
