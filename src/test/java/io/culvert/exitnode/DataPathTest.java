// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The policy over a simulated link: packets are lost and delayed at random, with a seed. */
class DataPathTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final int DATA = 128;

    /** How many days are simulated for each kind of traffic, each with its own seed. */
    private static final int DAYS = Integer.getInteger("culvert.days", 1);

    /** What happens at a time of the simulation. */
    private record Event(long at, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return Long.compare(at, other.at);
        }
    }

    /** A link with traffic, probes and keepalives; the time is in milliseconds. */
    private static final class Link {

        private final Random random;
        private final PriorityQueue<Event> events = new PriorityQueue<>();
        private final DataPath path = new DataPath(true, START);
        private final double loss;
        private final long roundTrip;
        private boolean dead;
        private boolean answersProbes = true;
        private boolean sendsKeepalives;

        /** How much longer this machine takes for a burst. */
        private Duration late = Duration.ZERO;

        private long now;
        private long sent = 148;
        private long received = 92;
        private long deadSince = -1;
        private int decisions;

        /** @param loss in each direction */
        Link(double loss, long roundTrip) {
            this(loss, roundTrip, 20261130);
        }

        Link(double loss, long roundTrip, long seed) {
            this.random = new Random(seed);
            this.loss = loss;
            this.roundTrip = roundTrip;
            at(0, this::poll);
        }

        private void at(long delay, Runnable action) {
            events.add(new Event(now + delay, action));
        }

        private Instant instant() {
            return START.plusMillis(now);
        }

        private boolean isLost() {
            return dead || random.nextDouble() < loss || random.nextDouble() < loss;
        }

        /** Requests with answers, after random pauses. */
        void traffic(long meanPause, boolean oneWay) {
            sent += DATA;
            if (!oneWay && !isLost()) {
                at(roundTrip, () -> received += DATA);
            }
            at(1 + (long) (-Math.log(1 - random.nextDouble()) * meanPause), () -> traffic(meanPause, oneWay));
        }

        void keepalives() {
            if (sendsKeepalives) {
                received += 32;
            }
            at(1000, this::keepalives);
        }

        private void poll() {
            path.update(received, sent, instant());
            path.nextBurst(true, instant()).ifPresent(this::run);
            if (path.isDead() && deadSince < 0) {
                deadSince = now;
            }
            at(Duration.between(instant(), path.nextUpdate(instant())).toMillis(), this::poll);
        }

        private void run(ProbeBurst burst) {
            decisions += burst.kind() == ProbeBurst.Kind.DECISION ? 1 : 0;
            probe(burst, 0, new boolean[1]);
        }

        private void probe(ProbeBurst burst, int number, boolean[] answered) {
            if (answered[0]) {
                return;
            }
            sent += DATA;
            if (answersProbes && !isLost()) {
                at(roundTrip, () -> {
                    received += DATA;
                    if (!answered[0]) {
                        answered[0] = true;
                        finish(burst, Optional.of(Duration.ofMillis(roundTrip)));
                    }
                });
            }
            if (number < burst.probes() - 1) {
                at(burst.interval().toMillis(), () -> probe(burst, number + 1, answered));
            } else {
                at(burst.timeout().toMillis(), () -> {
                    if (!answered[0]) {
                        answered[0] = true;
                        finish(burst, Optional.empty());
                    }
                });
            }
        }

        /** An answer is an event, after which the device is read. */
        private void finish(ProbeBurst burst, Optional<Duration> answer) {
            path.finished(new ProbeBurst.Result(burst, answer, late), instant());
            path.update(received, sent, instant());
        }

        void runUntil(long end) {
            while (!events.isEmpty() && events.peek().at() <= end) {
                Event event = events.remove();
                now = event.at();
                event.action().run();
            }
            now = end;
        }
    }

    @ParameterizedTest(name = "a packet every {0} ms, one-way {1}")
    @CsvSource({"20, false", "250, false", "1000, false", "20000, false", "30, true", "2000, true", "100000000, false"})
    void a_day_with_much_loss_and_delay_is_no_false_alarm(long meanPause, boolean oneWay) {
        for (int day = 0; day < DAYS; day++) {
            Link link = new Link(0.2, 400, 20261130 + day);
            link.at(0, () -> link.traffic(meanPause, oneWay));

            link.runUntil(Duration.ofDays(1).toMillis());

            assertThat(link.deadSince).as("day " + day).isNegative();
            assertThat(link.path.quality().degraded()).isTrue();
            assertThat(link.decisions).as("decisions, which are exercised").isGreaterThan(meanPause < 100 ? -1 : 100);
        }
    }

    @ParameterizedTest(name = "a packet every {0} ms, round trip {1} ms, one-way {2}")
    @CsvSource({"5, 1, false", "100, 1, false", "100, 50, false", "100, 10, true", "200, 150, false"})
    void a_server_that_dies_under_traffic_is_detected_within_two_seconds(
            long meanPause, long roundTrip, boolean oneWay) {
        for (long death = 60_000; death < 61_000; death += 37) {
            Link link = new Link(0, roundTrip);
            link.at(0, () -> link.traffic(meanPause, oneWay));
            link.at(death, () -> link.dead = true);

            link.runUntil(death - 1);
            assertThat(link.deadSince).isNegative();
            link.runUntil(death + 10_000);

            assertThat(link.deadSince - death).isBetween(0L, 2_000L);
        }
    }

    @Test
    void keepalives_and_handshakes_are_no_answers() {
        Link link = new Link(0, 10);
        link.sendsKeepalives = true;
        link.at(0, link::keepalives);
        link.at(0, () -> link.traffic(100, false));
        link.at(60_000, () -> link.dead = true);

        link.runUntil(63_000);

        assertThat(link.deadSince).isBetween(60_000L, 62_000L);
    }

    @Test
    void a_server_that_never_answers_data_is_dead_after_some_seconds() {
        Link link = new Link(0, 10);
        link.dead = true;
        link.at(0, () -> link.traffic(100, false));

        link.runUntil(10_000);

        assertThat(link.deadSince).isBetween(4_000L, 8_000L);
    }

    @Test
    void a_server_that_answers_data_but_no_probes_is_not_dead() {
        Link link = new Link(0, 10);
        link.answersProbes = false;
        link.at(0, () -> link.traffic(2000, false));

        link.runUntil(Duration.ofHours(1).toMillis());

        assertThat(link.deadSince).isNegative();
    }

    /** Nothing is sent but keepalives, and probes every half a minute. */
    @Test
    void an_idle_server_that_dies_is_detected_by_the_next_probe() {
        Link link = new Link(0, 10);
        link.runUntil(100_000);
        link.dead = true;

        link.runUntil(140_000);

        assertThat(link.deadSince).isBetween(100_000L, 133_000L);
    }

    @Test
    void a_server_that_answers_again_is_not_dead() {
        Link link = new Link(0, 10);
        link.at(0, () -> link.traffic(100, false));
        link.at(10_000, () -> link.dead = true);
        link.at(20_000, () -> link.dead = false);

        link.runUntil(19_000);
        assertThat(link.path.isDead()).isTrue();
        link.runUntil(22_000);

        assertThat(link.path.isDead()).isFalse();
    }

    /** Its own WireGuard was starved as well, so that no answer could arrive. */
    @Test
    void an_unanswered_decision_of_a_starved_machine_does_not_count() {
        Link link = new Link(0, 10);
        link.at(0, () -> link.traffic(100, false));
        link.at(60_000, () -> {
            link.dead = true;
            link.late = Duration.ofMillis(600);
        });
        link.at(63_000, () -> link.dead = false);

        link.runUntil(120_000);

        assertThat(link.deadSince).isNegative();
    }

    @Test
    void a_dead_server_is_detected_on_a_starved_machine_too() {
        Link link = new Link(0, 10);
        link.late = Duration.ofMillis(600);
        link.at(0, () -> link.traffic(100, false));
        link.at(60_000, () -> link.dead = true);

        link.runUntil(70_000);

        assertThat(link.deadSince).isBetween(64_000L, 68_000L);
    }

    @Test
    void without_probes_nothing_is_judged() {
        DataPath path = new DataPath(false, START);
        for (int second = 0; second < 100; second++) {
            path.update(0, 1000L * second, START.plusSeconds(second));
            assertThat(path.nextBurst(true, START.plusSeconds(second))).isEmpty();
        }
        assertThat(path.isDead()).isFalse();
    }
}
