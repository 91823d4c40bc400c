// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.timing.Threads;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A simulated clock: the first waits elapse at once, and the next one lasts until the latch is open. */
final class ScriptedClock implements Threads {

    private final int elapsedWaits;
    private final Duration runTime;
    private final AtomicLong now = new AtomicLong();
    private final AtomicInteger waits = new AtomicInteger();

    ScriptedClock(int elapsedWaits, Duration runTime) {
        this.elapsedWaits = elapsedWaits;
        this.runTime = runTime;
    }

    @Override
    public long nanoTime() {
        return now.addAndGet(runTime.toNanos());
    }

    @Override
    public boolean await(CountDownLatch latch, Duration atMost) throws InterruptedException {
        if (waits.incrementAndGet() <= elapsedWaits) {
            return false;
        }
        latch.await();
        return true;
    }
}
