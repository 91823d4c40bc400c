// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.timing.BackOff;
import io.culvert.timing.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/**
 * Checks again and again whether a program, or a service of this one, responds, and recovers it if it does not: one
 * that hangs, unlike one that exits, causes no event. Each check has a thread of its own, so that one that hangs delays
 * no other.
 */
public final class HealthCheck implements AutoCloseable {

    /** Often enough that a client does not wait much longer than for its own timeout; costs almost no CPU time. */
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    /** How soon a check that failed is repeated. */
    private static final Duration REPETITION = Duration.ofSeconds(1);

    /** The timeout of a probe, which usually takes a millisecond: a busy machine is not a program that hangs. */
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    /** Failures in a row until it counts as hanging, as this process may have been suspended during one. */
    private static final int FAILURES = 2;

    /** The time between recoveries, for what hangs again after each. */
    private static final BackOff RECOVERIES = new BackOff(Duration.ofSeconds(10), Duration.ofMinutes(5));

    /** Asks what is checked for a response. Called on the thread of the check. */
    @FunctionalInterface
    public interface Probe {

        /**
         * Does nothing if there is nothing to check now, such as while the program is being restarted.
         *
         * @throws IOException if there is no response within the timeout
         */
        void run(Duration timeout) throws IOException;
    }

    /** Runs probes: those of the system do, while a simulation decides itself what responds. */
    @FunctionalInterface
    public interface Prober {

        Prober SYSTEM = (_, probe, timeout) -> probe.run(timeout);

        /**
         * Runs the probe of what has this name.
         *
         * @throws IOException if there is no response within the timeout
         */
        void run(String name, Probe probe, Duration timeout) throws IOException;
    }

    private final Probe probe;
    private final Runnable recovery;
    private final Consumer<Optional<String>> listener;
    private final Threads threads;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private int failures;
    private int recoveries;
    private long nextRecovery;
    private boolean hangs;

    private HealthCheck(Probe probe, Runnable recovery, Consumer<Optional<String>> listener, Threads threads) {
        this.probe = probe;
        this.recovery = recovery;
        this.listener = listener;
        this.threads = threads;
    }

    /**
     * Starts checking; ends with {@link #close}.
     *
     * @param recovery called on the thread of the check while there is no response, with back-off
     * @param listener called on that thread with the reason when the response is missing, and with nothing when it
     *     responds again
     */
    public static HealthCheck start(
            String name, Probe probe, Runnable recovery, Consumer<Optional<String>> listener, Threads threads) {
        HealthCheck check = new HealthCheck(probe, recovery, listener, threads);
        threads.start("check-" + name, check::run);
        return check;
    }

    private void run() {
        try {
            while (!threads.await(stopping, failures == 0 ? INTERVAL : REPETITION)) {
                check();
            }
        } catch (InterruptedException _) {
            // Only the exit of the JVM interrupts this thread.
            Thread.currentThread().interrupt();
        }
    }

    private void check() {
        try {
            probe.run(TIMEOUT);
            failures = 0;
            recoveries = 0;
            if (hangs) {
                hangs = false;
                listener.accept(Optional.empty());
            }
        } catch (IOException e) {
            failures++;
            long now = threads.nanoTime();
            if (failures >= FAILURES && stopping.getCount() > 0) {
                if (!hangs) {
                    hangs = true;
                    nextRecovery = now;
                    listener.accept(Optional.of(String.valueOf(e.getMessage())));
                }
                if (now - nextRecovery >= 0) {
                    recoveries++;
                    nextRecovery = now + RECOVERIES.afterFailures(recoveries).toNanos();
                    recovery.run();
                }
            }
        }
    }

    /** Ends the check; a probe that is running ends within its timeout, without an effect. */
    @Override
    public void close() {
        stopping.countDown();
    }
}
