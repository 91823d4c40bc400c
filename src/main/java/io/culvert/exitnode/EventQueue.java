// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The event queue of the exit node's one thread. */
final class EventQueue {

    private final BlockingQueue<ExitNodeEvent> events = new LinkedBlockingQueue<>();

    /** Adds an event; may be called on any thread. */
    void add(ExitNodeEvent event) {
        events.add(event);
    }

    /** Waits for the first event and returns all pending ones in order; empty when none came within the time. */
    List<ExitNodeEvent> await(Duration atMost) throws InterruptedException {
        List<ExitNodeEvent> pending = new ArrayList<>();
        ExitNodeEvent first = events.poll(Math.max(0, atMost.toNanos()), TimeUnit.NANOSECONDS);
        if (first != null) {
            pending.add(first);
            events.drainTo(pending);
        }
        return pending;
    }
}
