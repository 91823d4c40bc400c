// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.exitnode.ProbeBurst.Kind;
import io.culvert.timing.BackOff;
import io.culvert.wireguard.device.WireGuardTimers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Judges whether data gets through the tunnel and back. It only decides; the time is passed with each call.
 *
 * <p>Handshakes and keepalives prove nothing about data. Sent data that is not followed by received data is a reason to
 * doubt, and doubt is decided by a burst of probes: the data path is dead if nothing but handshakes and keepalives is
 * received during the whole burst, and no probe is answered, although probes were answered by this server before. Where
 * they were not, it takes longer.
 */
final class DataPath {

    /** How long sent data may be unanswered before there is doubt; longer on slow paths. */
    private static final Duration SILENCE = Duration.ofMillis(300);

    /**
     * The probes of a decision. At a loss of 20 % in each direction, 36 % of them are unanswered, and all of them once in
     * 10^8 decisions; there may be some ten thousand decisions a day.
     */
    private static final int DECISION_PROBES = 18;

    private static final Duration DECISION_INTERVAL = Duration.ofMillis(40);

    /** The timeout of the last probe; longer on slow paths. */
    private static final Duration DECISION_TIMEOUT = Duration.ofMillis(250);

    /** The assumed round trip of a server that has not answered yet: to the other side of the earth. */
    private static final Duration UNKNOWN_ROUND_TRIP = Duration.ofMillis(400);

    /** The minimum time from an answer to the next doubt, which is permanent while data is only sent. */
    private static final Duration AFTER_ANSWER = Duration.ofMillis(500);

    /** The delays of further decisions while nothing is answered. */
    private static final BackOff UNANSWERED = new BackOff(Duration.ofMillis(250), Duration.ofSeconds(30));

    /** The number of unanswered decisions after which a server that never answered anything is dead. */
    private static final int NEVER_ANSWERED_DECISIONS = 3;

    /**
     * The unanswered decisions in a row that do not count while this machine is too busy to receive answers in time; a dead
     * server has to be left there too.
     */
    private static final int MAX_INCONCLUSIVE_DECISIONS = 4;

    private static final Duration NEVER_ANSWERED_TIME = Duration.ofSeconds(5);

    /**
     * How long a server that has answered data, but never a probe, may leave data unanswered: its probes may be blocked, and
     * a program may only send for a while.
     */
    private static final Duration UNPROBED_SILENCE = Duration.ofSeconds(20);

    private static final Duration POLL_ACTIVE = Duration.ofMillis(150);
    private static final Duration POLL_IDLE = Duration.ofSeconds(1);

    /** How long after data a tunnel counts as active. */
    private static final Duration ACTIVE = Duration.ofSeconds(3);

    /**
     * The interval of the first samples, and their number. Of fewer, each may have been slow only because the machine was busy
     * with the connect, and all that depends on the path's own round trip would take longer.
     */
    private static final Duration FIRST_SAMPLE = Duration.ofMillis(300);

    private static final int FIRST_SAMPLES = 5;

    private static final Duration SAMPLE_ACTIVE = Duration.ofSeconds(2);
    private static final Duration SAMPLE_IDLE = Duration.ofSeconds(30);
    /** The delays after unanswered samples, until one is answered: without an answer, nothing can be decided. */
    private static final BackOff FIRST_ANSWER = new BackOff(SAMPLE_ACTIVE, SAMPLE_IDLE);

    private static final Duration SAMPLE_TIMEOUT = Duration.ofSeconds(2);

    /**
     * The bytes of at most one handshake message of each kind and two keepalives. Between two polls there are no more of
     * them, and the smallest data packets, which make such a sum too, only cause a probe.
     */
    private static final Set<Long> CONTROL = Stream.of(
                    0L,
                    (long) WireGuardTimers.INITIATION_BYTES,
                    (long) WireGuardTimers.RESPONSE_BYTES,
                    (long) WireGuardTimers.INITIATION_BYTES + WireGuardTimers.RESPONSE_BYTES)
            .flatMap(handshakes -> Stream.of(0, 1, 2)
                    .map(keepalives -> handshakes + (long) keepalives * WireGuardTimers.KEEPALIVE_BYTES))
            .collect(Collectors.toUnmodifiableSet());

    private final boolean probing;
    private long generation;
    private long received;
    private long sent;
    private Instant sampledAt;
    private Instant restartedAt;
    private Optional<Instant> unansweredSince = Optional.empty();
    private Instant lastReceived = Instant.MIN;
    private Instant lastActive = Instant.MIN;
    private Instant decisionNotBefore;
    private Instant lastSample = Instant.MIN;
    private int unansweredSamples;
    private Optional<Instant> decisionSince = Optional.empty();
    private boolean sampling;
    private boolean answeredProbe;
    private boolean proven;
    private boolean dead;
    private int unansweredDecisions;
    private int inconclusiveDecisions;
    private boolean mustAnswer;
    private boolean judgesUnproven = true;
    private PathQuality quality = PathQuality.UNKNOWN;
    private final Deque<Optional<Duration>> samples = new ArrayDeque<>();

    /** @param probing whether probes are sent; without them, nothing is judged here */
    DataPath(boolean probing, Instant now) {
        this.probing = probing;
        this.sampledAt = now;
        this.restartedAt = now;
        this.decisionNotBefore = now;
    }

    /**
     * Starts over: the device was just configured, with counters that may start at zero again.
     *
     * @param mustAnswer whether the server counts as connected only once it has answered, as it was dead before
     * @param judgesUnproven whether a server can be dead that never answered anything
     */
    void restart(boolean mustAnswer, boolean judgesUnproven, Instant now) {
        this.judgesUnproven = judgesUnproven;
        generation++;
        received = 0;
        sent = 0;
        sampledAt = now;
        restartedAt = now;
        unansweredSince = Optional.empty();
        lastReceived = Instant.MIN;
        decisionNotBefore = now;
        lastSample = Instant.MIN;
        unansweredSamples = 0;
        decisionSince = Optional.empty();
        sampling = false;
        answeredProbe = false;
        proven = false;
        dead = false;
        unansweredDecisions = 0;
        inconclusiveDecisions = 0;
        this.mustAnswer = mustAnswer && probing;
        quality = PathQuality.UNKNOWN;
        samples.clear();
    }

    /** Updates from the counters of the device. */
    void update(long receivedNow, long sentNow, Instant now) {
        long in = receivedNow - received;
        long out = sentNow - sent;
        boolean isDataIn = in > 0 && !CONTROL.contains(in);
        boolean isDataOut = out > 0 && !isKeepaliveOrHandshake(out);
        if (isDataIn) {
            answered(now);
        } else if (isDataOut && unansweredSince.isEmpty()) {
            unansweredSince = Optional.of(sampledAt);
        }
        if (isDataIn || isDataOut) {
            lastActive = now;
        }
        received = receivedNow;
        sent = sentNow;
        sampledAt = now;
    }

    /** For sent packets, one of each at most: more doubt costs a probe only. */
    private static boolean isKeepaliveOrHandshake(long bytes) {
        return bytes == WireGuardTimers.KEEPALIVE_BYTES
                || bytes == WireGuardTimers.INITIATION_BYTES
                || bytes == WireGuardTimers.RESPONSE_BYTES
                || bytes == WireGuardTimers.INITIATION_BYTES + WireGuardTimers.KEEPALIVE_BYTES;
    }

    private void answered(Instant now) {
        unansweredSince = Optional.empty();
        lastReceived = now;
        proven = true;
        dead = false;
        unansweredDecisions = 0;
    }

    /**
     * Returns the probes to send now.
     *
     * @param connected whether there is a session: without one, probes would be lost
     */
    Optional<ProbeBurst> nextBurst(boolean connected, Instant now) {
        if (!probing || !connected) {
            return Optional.empty();
        }
        if (decisionSince.isEmpty()
                && !now.isBefore(decisionNotBefore)
                && unansweredSince
                        .filter(since -> !now.isBefore(since.plus(silence())))
                        .isPresent()) {
            decisionSince = Optional.of(now);
            return Optional.of(
                    new ProbeBurst(Kind.DECISION, generation, DECISION_PROBES, DECISION_INTERVAL, decisionTimeout()));
        }
        if (!sampling && decisionSince.isEmpty() && isSampleDue(now)) {
            sampling = true;
            lastSample = now;
            return Optional.of(new ProbeBurst(Kind.SAMPLE, generation, 1, Duration.ZERO, SAMPLE_TIMEOUT));
        }
        return Optional.empty();
    }

    private boolean isSampleDue(Instant now) {
        if (lastSample.equals(Instant.MIN)) {
            return true;
        }
        if (unansweredSamples == 0 && samples.size() < FIRST_SAMPLES) {
            return !now.isBefore(lastSample.plus(FIRST_SAMPLE));
        }
        Duration idle = unansweredSamples > 0 ? FIRST_ANSWER.afterFailures(unansweredSamples) : SAMPLE_IDLE;
        return !now.isBefore(lastSample.plus(isActive(now) ? SAMPLE_ACTIVE : idle));
    }

    private Duration silence() {
        return longer(SILENCE, times(quality.minRoundTrip().orElse(Duration.ZERO), 3, 2));
    }

    private Duration decisionTimeout() {
        return longer(DECISION_TIMEOUT, times(quality.minRoundTrip().orElse(UNKNOWN_ROUND_TRIP), 3, 2));
    }

    /** Processes the result of a burst; one of an earlier configuration is ignored. */
    void finished(ProbeBurst.Result result, Instant now) {
        if (result.burst().generation() != generation) {
            return;
        }
        switch (result.burst().kind()) {
            case SAMPLE -> {
                sampling = false;
                unansweredSamples = result.roundTrip().isPresent() ? 0 : unansweredSamples + 1;
                samples.addLast(result.roundTrip());
                if (samples.size() > PathQuality.WINDOW) {
                    samples.removeFirst();
                }
                quality = PathQuality.of(samples, quality.degraded());
            }
            case DECISION -> {
                Instant since = decisionSince.orElse(now);
                decisionSince = Optional.empty();
                if (result.roundTrip().isPresent() || lastReceived.isAfter(since)) {
                    decisionNotBefore = now.plus(AFTER_ANSWER);
                    inconclusiveDecisions = 0;
                } else if (result.isInconclusive() && inconclusiveDecisions < MAX_INCONCLUSIVE_DECISIONS) {
                    inconclusiveDecisions++;
                    decisionNotBefore = now;
                } else {
                    unansweredDecisions++;
                    decisionNotBefore = now.plus(UNANSWERED.afterFailures(unansweredDecisions));
                    dead |= answeredProbe || (proven ? isLongUnanswered(now) : judgesUnproven && isNeverAnswered(now));
                }
            }
        }
        if (result.roundTrip().isPresent()) {
            answeredProbe = true;
            answered(now);
        }
    }

    private boolean isLongUnanswered(Instant now) {
        return unansweredSince
                .filter(since -> !now.isBefore(since.plus(UNPROBED_SILENCE)))
                .isPresent();
    }

    private boolean isNeverAnswered(Instant now) {
        return unansweredDecisions >= NEVER_ANSWERED_DECISIONS && !now.isBefore(restartedAt.plus(NEVER_ANSWERED_TIME));
    }

    /** Returns whether no data gets through. */
    boolean isDead() {
        return dead;
    }

    /** Returns whether a server that was dead has to answer first. */
    boolean isAwaitingAnswer() {
        return mustAnswer && !proven;
    }

    /** Returns whether nothing was answered lately, which may be due to blocked probes. */
    boolean isUnanswered() {
        return unansweredDecisions >= NEVER_ANSWERED_DECISIONS;
    }

    /** Returns whether the server was never heard to answer anything but handshakes, so that only its probes may be blocked. */
    boolean isUnproven() {
        return !proven;
    }

    /** Returns whether data was received within a time. */
    boolean hasReceivedWithin(Duration time, Instant now) {
        return !lastReceived.equals(Instant.MIN) && !lastReceived.plus(time).isBefore(now);
    }

    /** Returns whether there was traffic lately. */
    boolean isActive(Instant now) {
        return unansweredSince.isPresent()
                || (!lastActive.equals(Instant.MIN) && !lastActive.plus(ACTIVE).isBefore(now));
    }

    PathQuality quality() {
        return quality;
    }

    /** Returns when to update at the latest while the tunnel is connected. */
    Instant nextUpdate(Instant now) {
        return now.plus(
                !probing
                        ? WireGuardTimers.RESPONSE_TIMEOUT
                        : isActive(now) && !isUnanswered() ? POLL_ACTIVE : POLL_IDLE);
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    private static Duration times(Duration duration, int numerator, int denominator) {
        return duration.multipliedBy(numerator).dividedBy(denominator);
    }
}
