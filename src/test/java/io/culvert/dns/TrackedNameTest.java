// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.net.Host;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TrackedNameTest {

    private static final Host.Name NAME = new Host.Name("vpn.example.com");

    private final Deque<ResolutionResult> answers = new ArrayDeque<>();
    private final List<ResolutionResult> changes = new ArrayList<>();
    private final ManualScheduler scheduler = new ManualScheduler();

    @AfterEach
    void end() {
        scheduler.shutdownNow();
    }

    @Test
    void the_name_is_resolved_again_when_its_TTL_expires_within_bounds() {
        answers.add(found(1, "192.0.2.1"));
        answers.add(found(86_400, "192.0.2.1"));
        watch(found(121, "192.0.2.1"));

        assertThat(scheduler.last()).isEqualTo(Duration.ofSeconds(121));
        assertThat(scheduler.run()).isEqualTo(Duration.ofSeconds(30));
        assertThat(scheduler.run()).isEqualTo(Duration.ofHours(1));
        assertThat(changes).isEmpty();
    }

    @Test
    void a_changed_set_of_addresses_is_reported_once_regardless_of_order() {
        answers.add(found(60, "192.0.2.2", "192.0.2.1"));
        answers.add(found(60, "192.0.2.3"));
        answers.add(found(60, "192.0.2.3"));
        watch(found(60, "192.0.2.1", "192.0.2.2"));

        scheduler.run();
        scheduler.run();
        scheduler.run();

        assertThat(changes).extracting(ResolutionResult::addresses).containsExactly(addresses("192.0.2.3"));
    }

    @Test
    void failures_change_nothing_and_the_retry_delay_grows() {
        for (int i = 0; i < 8; i++) {
            answers.add(failed("192.0.2.1"));
        }
        answers.add(found(60, "192.0.2.1"));
        answers.add(failed("192.0.2.1"));
        watch(failed("192.0.2.1"));

        assertThat(scheduler.last()).isEqualTo(Duration.ofSeconds(5));
        assertThat(Stream.generate(scheduler::run).limit(10))
                .containsExactly(
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(40),
                        Duration.ofSeconds(80),
                        Duration.ofSeconds(160),
                        Duration.ofSeconds(300),
                        Duration.ofSeconds(300),
                        Duration.ofSeconds(300),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(5));
        assertThat(changes).isEmpty();
    }

    @Test
    void checkNow_resolves_the_name_immediately() {
        TrackedName watch = watch(found(3600, "192.0.2.1"));

        watch.checkNow();

        assertThat(scheduler.last()).isZero();
    }

    @Test
    void checkNow_during_a_resolution_causes_another_one() {
        TrackedName[] watch = new TrackedName[1];
        watch[0] = new TrackedName(
                NAME,
                found(60, "192.0.2.1"),
                _ -> {
                    watch[0].checkNow();
                    return found(60, "192.0.2.1");
                },
                TrackingPolicy.BY_TTL,
                changes::add,
                scheduler);

        assertThat(scheduler.run()).isZero();
        assertThat(scheduler.isPending()).isTrue();
    }

    @Test
    void an_exception_does_not_stop_the_tracking() {
        TrackedName _ = new TrackedName(
                NAME,
                found(60, "192.0.2.1"),
                _ -> {
                    throw new IllegalStateException("no sockets left");
                },
                TrackingPolicy.BY_TTL,
                changes::add,
                scheduler);

        assertThatThrownBy(scheduler::run).hasMessage("no sockets left");
        assertThat(scheduler.last()).isEqualTo(Duration.ofSeconds(5));
        assertThat(scheduler.isPending()).isTrue();
    }

    @Test
    void a_name_without_delays_is_resolved_again_on_request_only() {
        TrackedName name = new TrackedName(
                NAME,
                found(60, "192.0.2.1", "192.0.2.2"),
                _ -> answers.remove(),
                TrackingPolicy.ON_REQUEST,
                changes::add,
                scheduler);
        assertThat(scheduler.isScheduled()).isFalse();

        answers.add(found(60, "192.0.2.2", "192.0.2.1"));
        name.checkNow();
        scheduler.run();

        assertThat(changes)
                .extracting(ResolutionResult::addresses)
                .as("another order is another preference")
                .containsExactly(addresses("192.0.2.2", "192.0.2.1"));
    }

    @Test
    void after_close_the_name_is_not_resolved() {
        watch(found(60, "192.0.2.1")).close();

        assertThat(scheduler.isPending()).isFalse();
    }

    private TrackedName watch(ResolutionResult first) {
        return new TrackedName(NAME, first, _ -> answers.remove(), TrackingPolicy.BY_TTL, changes::add, scheduler);
    }

    private static ResolutionResult found(int seconds, String... addresses) {
        return new ResolutionResult(addresses(addresses), Duration.ofSeconds(seconds), true, List.of());
    }

    private static ResolutionResult failed(String... addresses) {
        return new ResolutionResult(addresses(addresses), Duration.ZERO, false, List.of());
    }

    private static List<InetAddress> addresses(String... texts) {
        return Stream.of(texts).map(InetAddress::ofLiteral).toList();
    }

    /** A scheduler that runs nothing until a test advances it. */
    private static final class ManualScheduler extends ScheduledThreadPoolExecutor {

        private static final Duration NEVER = Duration.ofDays(365);

        private Runnable task = () -> {};
        private Duration delay = NEVER;
        private ScheduledFuture<?> future = super.schedule(task, 1, TimeUnit.DAYS);

        ManualScheduler() {
            super(1);
        }

        @Override
        public ScheduledFuture<?> schedule(Runnable command, long after, TimeUnit unit) {
            task = command;
            delay = Duration.of(after, unit.toChronoUnit());
            future = super.schedule(command, 1, TimeUnit.DAYS);
            return future;
        }

        Duration last() {
            return delay;
        }

        boolean isScheduled() {
            return !delay.equals(NEVER);
        }

        boolean isPending() {
            return !future.isDone();
        }

        /** Runs the next task; returns the delay requested afterwards. */
        Duration run() {
            task.run();
            return delay;
        }
    }
}
