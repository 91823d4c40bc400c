// SPDX-License-Identifier: Apache-2.0
package io.culvert.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.timing.MonotonicClock;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReconcilerTest {

    private enum Event {
        CHANGED,
        NOISE,
        STOP
    }

    private final MonotonicClock clock = MonotonicClock.system();
    private final StringWriter log = new StringWriter();
    private final List<String> calls = new ArrayList<>();
    private int failures;
    private boolean unsettled;
    private Duration nextCheck = Reconciler.NO_DEADLINE;
    private Runnable onCheck = () -> {};

    private final EventQueue<Event> events = new EventQueue<>();
    private final Reconciler<Event> reconciler = new Reconciler<>(
            new Log(new PrintWriter(log)), clock, events, Duration.ZERO, "recovered", new Reconciler.Target<>() {
                @Override
                public Reconciler.Response handle(Event event) {
                    calls.add(event.name());
                    return switch (event) {
                        case CHANGED -> Reconciler.Response.RECONCILE;
                        case NOISE -> Reconciler.Response.NOTHING;
                        case STOP -> Reconciler.Response.STOP;
                    };
                }

                @Override
                public void reconcile() {
                    calls.add("reconcile");
                    if (failures-- > 0) {
                        throw new IllegalStateException("the kernel is busy");
                    }
                    unsettled = false;
                }

                @Override
                public Instant check() {
                    calls.add("check");
                    onCheck.run();
                    return clock.instant().plus(nextCheck);
                }

                @Override
                public boolean isUnsettled() {
                    return unsettled;
                }
            });

    @Test
    void events_that_arrive_together_are_reconciled_once() throws InterruptedException {
        events.add(Event.CHANGED);
        events.add(Event.CHANGED);
        stopAtCheck(2);
        reconciler.run();

        assertThat(calls).containsExactly("check", "CHANGED", "CHANGED", "reconcile", "check", "STOP");
    }

    @Test
    void an_event_without_consequences_leads_to_a_check_only() throws InterruptedException {
        events.add(Event.NOISE);
        stopAtCheck(2);
        reconciler.run();

        assertThat(calls).containsExactly("check", "NOISE", "check", "STOP");
    }

    @Test
    void a_stop_takes_precedence_over_the_events_after_it() throws InterruptedException {
        events.add(Event.STOP);
        events.add(Event.CHANGED);
        reconciler.run();

        assertThat(calls).containsExactly("check", "STOP");
    }

    @Test
    void a_failure_is_logged_once_and_retried_until_it_ends() throws InterruptedException {
        failures = 2;
        events.add(Event.CHANGED);
        stopAtCheck(4);
        reconciler.run();

        assertThat(calls)
                .containsExactly(
                        "check", "CHANGED", "reconcile", "check", "reconcile", "check", "reconcile", "check", "STOP");
        assertThat(log.toString().lines())
                .containsExactly("error: IllegalStateException: the kernel is busy", "recovered");
        assertThat(reconciler.error()).isEmpty();
    }

    @Test
    void a_failing_check_does_not_end_the_loop() throws InterruptedException {
        stopAtCheck(2);
        Runnable stop = onCheck;
        onCheck = () -> {
            stop.run();
            if (calls.size() == 1) {
                throw new IllegalStateException("the program has just ended");
            }
        };
        reconciler.run();

        assertThat(calls).containsExactly("check", "reconcile", "check", "STOP");
        assertThat(log.toString().lines())
                .containsExactly("error: IllegalStateException: the program has just ended", "recovered");
    }

    @Test
    void a_target_that_is_unsettled_is_retried_without_an_event() throws InterruptedException {
        unsettled = true;
        stopAtCheck(2);
        reconciler.run();

        assertThat(calls).containsExactly("check", "reconcile", "check", "STOP");
    }

    @Test
    void a_check_runs_again_at_its_deadline() throws InterruptedException {
        nextCheck = Duration.ofMillis(1);
        stopAtCheck(3);
        reconciler.run();

        assertThat(calls).containsExactly("check", "check", "check", "STOP");
    }

    private void stopAtCheck(int number) {
        int[] checks = {0};
        onCheck = () -> {
            if (++checks[0] == number) {
                events.add(Event.STOP);
            }
        };
    }
}
