// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The supervisor's clock; replaced in tests. */
public interface SupervisorClock {

    /** Returns monotonic time in nanoseconds, as {@link System#nanoTime}. */
    long nanoTime();

    /**
     * Waits for the latch.
     *
     * @return true as soon as the latch is open, false when the time has elapsed
     */
    boolean await(CountDownLatch latch, Duration atMost) throws InterruptedException;

    /** The system's clock. */
    SupervisorClock REAL = new SupervisorClock() {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public boolean await(CountDownLatch latch, Duration atMost) throws InterruptedException {
            return latch.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
        }
    };
}
