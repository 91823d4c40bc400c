package io.culvert.exitnode;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The event queue of the exit node's one thread. */
final class Wakeups {

    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

    /** Adds an event; may be called on any thread. */
    void add(Event event) {
        events.add(event);
    }

    /** Waits for the first event and returns all pending ones in order; empty when none came within the time. */
    List<Event> await(Duration atMost) throws InterruptedException {
        List<Event> come = new ArrayList<>();
        Event first = events.poll(Math.max(0, atMost.toNanos()), TimeUnit.NANOSECONDS);
        if (first != null) {
            come.add(first);
            events.drainTo(come);
        }
        return come;
    }
}
