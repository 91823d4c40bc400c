// SPDX-License-Identifier: Apache-2.0
package io.culvert.timing;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Threads, their waits and monotonic time. The methods are those of the system; a simulation of time overrides them, so that
 * whatever waits does so in simulated time.
 */
public interface Threads {

    Threads SYSTEM = new Threads() {};

    /** Returns monotonic time in nanoseconds, as {@link System#nanoTime}. */
    default long nanoTime() {
        return System.nanoTime();
    }

    /** Starts a thread that does not keep the program running. */
    default Thread start(String name, Runnable work) {
        return Thread.ofPlatform().daemon().name(name).start(work);
    }

    /** Waits for the end of a thread. */
    default void join(Thread thread) throws InterruptedException {
        thread.join();
    }

    /**
     * Waits for the end of a thread.
     *
     * @return whether it has ended within the time
     */
    default boolean join(Thread thread, Duration atMost) throws InterruptedException {
        return thread.join(atMost);
    }

    /**
     * Waits for the latch.
     *
     * @return true as soon as the latch is open, false when the time has elapsed
     */
    default boolean await(CountDownLatch latch, Duration atMost) throws InterruptedException {
        return latch.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Waits for this time. */
    default void pause(Duration time) throws InterruptedException {
        await(new CountDownLatch(1), time);
    }

    /**
     * Waits for the first element of a queue and removes it.
     *
     * @return null when the time has elapsed
     */
    default <E> @Nullable E poll(BlockingQueue<E> queue, Duration atMost) throws InterruptedException {
        return queue.poll(Math.max(0, atMost.toNanos()), TimeUnit.NANOSECONDS);
    }

    /** Returns an executor of delayed tasks that does not keep the program running. */
    default ScheduledExecutorService scheduler(String name, int threads) {
        return Executors.newScheduledThreadPool(
                threads, work -> Thread.ofPlatform().daemon().name(name).unstarted(work));
    }
}
