// SPDX-License-Identifier: Apache-2.0
package io.culvert.reconcile;

import io.culvert.timing.Threads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/** Events from any thread, for one thread. */
public final class EventQueue<E> {

    private final BlockingQueue<E> events = new LinkedBlockingQueue<>();
    private final Threads threads;

    public EventQueue() {
        this(Threads.SYSTEM);
    }

    /** @param threads those that wait */
    public EventQueue(Threads threads) {
        this.threads = threads;
    }

    Threads threads() {
        return threads;
    }

    /** Adds an event; may be called on any thread. */
    public void add(E event) {
        events.add(event);
    }

    /**
     * Waits for the first event and returns all pending ones in order.
     *
     * @param atMost how long to wait for the first event
     * @param batch how long to wait for more after the first one, because they usually come in groups
     * @return empty if none came within the time
     */
    List<E> await(Duration atMost, Duration batch) throws InterruptedException {
        List<E> batched = new ArrayList<>();
        E event = poll(atMost);
        long end = threads.nanoTime() + batch.toNanos();
        while (event != null) {
            batched.add(event);
            event = poll(Duration.ofNanos(end - threads.nanoTime()));
        }
        events.drainTo(batched);
        return batched;
    }

    private @Nullable E poll(Duration atMost) throws InterruptedException {
        return threads.poll(events, atMost);
    }
}
