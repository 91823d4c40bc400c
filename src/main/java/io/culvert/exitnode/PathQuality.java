// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * The quality of the tunnel's data path, from the latest samples.
 *
 * @param lossPercent the share of unanswered probes; empty before there are enough samples
 * @param roundTrip the median; empty before the first answer
 * @param minRoundTrip what the path itself takes, without queues and a busy machine
 * @param degraded whether loss or round trip is bad; a path that has become bad has to become clearly better
 */
record PathQuality(
        Optional<Integer> lossPercent,
        Optional<Duration> roundTrip,
        Optional<Duration> minRoundTrip,
        boolean degraded) {

    static final PathQuality UNKNOWN = new PathQuality(Optional.empty(), Optional.empty(), Optional.empty(), false);

    /** How many samples are kept. */
    static final int WINDOW = 20;

    private static final int ENOUGH = 10;
    private static final int BAD_LOSS_PERCENT = 20;
    private static final int GOOD_LOSS_PERCENT = 10;
    private static final Duration BAD_ROUND_TRIP = Duration.ofMillis(800);
    private static final Duration GOOD_ROUND_TRIP = Duration.ofMillis(500);

    /**
     * Returns the quality by these samples.
     *
     * @param samples the round trip of each probe; empty if it was not answered
     * @param wasDegraded whether the path was degraded before
     */
    static PathQuality of(Collection<Optional<Duration>> samples, boolean wasDegraded) {
        List<Duration> answered =
                samples.stream().flatMap(Optional::stream).sorted().toList();
        boolean isEnough = samples.size() >= ENOUGH;
        Optional<Integer> loss =
                isEnough ? Optional.of(100 * (samples.size() - answered.size()) / samples.size()) : Optional.empty();
        Optional<Duration> median = answered.stream().skip(answered.size() / 2).findFirst();
        int maxLoss = wasDegraded ? GOOD_LOSS_PERCENT : BAD_LOSS_PERCENT;
        Duration maxRoundTrip = wasDegraded ? GOOD_ROUND_TRIP : BAD_ROUND_TRIP;
        boolean isSlow = median.filter(time -> time.compareTo(maxRoundTrip) > 0).isPresent();
        return new PathQuality(
                loss,
                median,
                answered.stream().findFirst(),
                isEnough && (isSlow || loss.filter(percent -> percent > maxLoss).isPresent()));
    }

    boolean isKnown() {
        return roundTrip.isPresent() || lossPercent.isPresent();
    }

    @Override
    public String toString() {
        return lossPercent.map(percent -> "loss " + percent + " %, ").orElse("")
                + roundTrip.map(time -> "round trip " + time.toMillis() + " ms").orElse("round trip unknown");
    }
}
