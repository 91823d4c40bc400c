// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.timing.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class HealthCheckTest {

    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    /** Elapses at once, until a script of results is used up. */
    private final class ElapsingClock implements Threads {

        private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
        private final CountDownLatch end = new CountDownLatch(1);
        private final int checks;
        private int waits;

        ElapsingClock(int checks) {
            this.checks = checks;
        }

        @Override
        public long nanoTime() {
            return nanos.get();
        }

        @Override
        public boolean await(CountDownLatch latch, Duration atMost) {
            log.add("after " + atMost.toSeconds() + " s");
            nanos.addAndGet(atMost.toNanos());
            if (waits++ == checks) {
                end.countDown();
                return true;
            }
            return false;
        }
    }

    /** Runs a check for each character: {@code +} responds, {@code -} does not. */
    private void check(String results) throws InterruptedException {
        ElapsingClock clock = new ElapsingClock(results.length());
        AtomicLong position = new AtomicLong();
        try (HealthCheck _ = HealthCheck.start(
                "test",
                _ -> {
                    if (results.charAt((int) position.getAndIncrement()) == '-') {
                        throw new IOException("silence");
                    }
                },
                () -> log.add("recover"),
                reason -> log.add(reason.orElse("responds")),
                clock)) {
            assertThat(clock.end.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void what_responds_is_checked_at_a_low_rate() throws InterruptedException {
        check("+++");

        assertThat(log).containsOnly("after 10 s").hasSize(4);
    }

    @Test
    void one_failure_is_repeated_soon_and_recovers_nothing() throws InterruptedException {
        check("-+");

        assertThat(log).containsExactly("after 10 s", "after 1 s", "after 10 s");
    }

    @Test
    void what_does_not_respond_is_reported_once_recovered_and_reported_when_it_responds() throws InterruptedException {
        check("---+");

        assertThat(log.stream().filter(line -> !line.startsWith("after")))
                .containsExactly("silence", "recover", "responds");
    }

    @Test
    void recoveries_that_do_not_help_are_repeated_with_back_off() throws InterruptedException {
        check("-".repeat(75));

        // At 0, 10, 30 and 70 seconds.
        assertThat(log.stream().filter("recover"::equals)).hasSize(4);
        assertThat(log.stream().filter("silence"::equals)).hasSize(1);
    }
}
