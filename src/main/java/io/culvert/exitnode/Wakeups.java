package io.culvert.exitnode;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What waits for the one thread that does everything. */
final class Wakeups {

    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

    /** From any thread. */
    void add(Event event) {
        events.add(event);
    }

    /** All that has come, in order, waiting for the first; empty when nothing came within the time. */
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
