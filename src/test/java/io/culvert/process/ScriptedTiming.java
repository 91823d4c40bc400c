package io.culvert.process;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Time that passes only on paper: so many waits are over at once, the next lasts until the end. */
final class ScriptedTiming implements Timing {

    private final int waitsOver;
    private final Duration eachRun;
    private final AtomicLong now = new AtomicLong();
    private final AtomicInteger waits = new AtomicInteger();

    ScriptedTiming(int waitsOver, Duration eachRun) {
        this.waitsOver = waitsOver;
        this.eachRun = eachRun;
    }

    @Override
    public long nanoTime() {
        return now.addAndGet(eachRun.toNanos());
    }

    @Override
    public boolean await(CountDownLatch latch, Duration atMost) throws InterruptedException {
        if (waits.incrementAndGet() <= waitsOver) {
            return false;
        }
        latch.await();
        return true;
    }
}
