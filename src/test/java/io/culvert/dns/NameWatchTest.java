package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NameWatchTest {

    private final Deque<Resolution> answers = new ArrayDeque<>();
    private final List<Resolution> told = new ArrayList<>();
    private final HandScheduler scheduler = new HandScheduler();

    @AfterEach
    void end() {
        scheduler.shutdownNow();
    }

    @Test
    void it_looks_again_when_the_time_to_live_ends_within_bounds() {
        answers.add(found(1, "192.0.2.1"));
        answers.add(found(86_400, "192.0.2.1"));
        watch(found(121, "192.0.2.1"));

        assertThat(scheduler.last()).isEqualTo(Duration.ofSeconds(121));
        assertThat(scheduler.run()).isEqualTo(Duration.ofSeconds(30));
        assertThat(scheduler.run()).isEqualTo(Duration.ofHours(1));
        assertThat(told).isEmpty();
    }

    @Test
    void it_tells_of_another_set_once_whatever_the_order() {
        answers.add(found(60, "192.0.2.2", "192.0.2.1"));
        answers.add(found(60, "192.0.2.3"));
        answers.add(found(60, "192.0.2.3"));
        watch(found(60, "192.0.2.1", "192.0.2.2"));

        scheduler.run();
        scheduler.run();
        scheduler.run();

        assertThat(told).extracting(Resolution::addresses).containsExactly(addresses("192.0.2.3"));
    }

    @Test
    void it_tries_more_and_more_rarely_while_nobody_answers_and_changes_nothing() {
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
        assertThat(told).isEmpty();
    }

    @Test
    void who_doubts_the_addresses_has_it_look_at_once() {
        NameWatch watch = watch(found(3600, "192.0.2.1"));

        watch.lookNow();

        assertThat(scheduler.last()).isZero();
    }

    @Test
    void a_doubt_that_comes_while_it_looks_is_looked_into_afterwards() {
        NameWatch[] watch = new NameWatch[1];
        watch[0] = new NameWatch(
                found(60, "192.0.2.1"),
                () -> {
                    watch[0].lookNow();
                    return found(60, "192.0.2.1");
                },
                told::add,
                scheduler);

        assertThat(scheduler.run()).isZero();
        assertThat(scheduler.isPending()).isTrue();
    }

    @Test
    void a_look_that_breaks_is_not_the_last_one() {
        NameWatch _ = new NameWatch(
                found(60, "192.0.2.1"),
                () -> {
                    throw new IllegalStateException("no sockets left");
                },
                told::add,
                scheduler);

        assertThatThrownBy(scheduler::run).hasMessage("no sockets left");
        assertThat(scheduler.last()).isEqualTo(Duration.ofSeconds(5));
        assertThat(scheduler.isPending()).isTrue();
    }

    @Test
    void closed_it_looks_no_more() {
        watch(found(60, "192.0.2.1")).close();

        assertThat(scheduler.isPending()).isFalse();
    }

    private NameWatch watch(Resolution first) {
        return new NameWatch(first, answers::remove, told::add, scheduler);
    }

    private static Resolution found(int seconds, String... addresses) {
        return new Resolution(addresses(addresses), Duration.ofSeconds(seconds), true, List.of());
    }

    private static Resolution failed(String... addresses) {
        return new Resolution(addresses(addresses), Duration.ZERO, false, List.of());
    }

    private static List<InetAddress> addresses(String... texts) {
        return Stream.of(texts).map(InetAddress::ofLiteral).toList();
    }

    /** A scheduler that runs nothing until a test advances it. */
    private static final class HandScheduler extends ScheduledThreadPoolExecutor {

        private Runnable task = () -> {};
        private Duration delay = Duration.ZERO;
        private ScheduledFuture<?> future = super.schedule(task, 1, TimeUnit.DAYS);

        HandScheduler() {
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
