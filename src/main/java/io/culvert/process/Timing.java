package io.culvert.process;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Time as the supervisor sees it; a test has its own. */
public interface Timing {

    /** Nanoseconds since some moment; never goes back. */
    long nanoTime();

    /**
     * Waits.
     *
     * @return true at once when the latch opens, false when the time is over
     */
    boolean await(CountDownLatch latch, Duration atMost) throws InterruptedException;

    /** The machine's own. */
    Timing REAL = new Timing() {
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
