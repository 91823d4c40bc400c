// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.diagnostics.Log;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** The latest lines of the log, of a bounded number, and the waits for further ones. */
public final class EventLog {

    /** Lines of the log are shorter than this, except the settings at the start. */
    private static final int MAX_LENGTH = 2000;

    private static final int CAPACITY = 200;

    /** A line of the log, numbered. */
    public record Event(long number, Instant time, Log.Level level, String line) {}

    private final Clock clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition added = lock.newCondition();
    private final Deque<Event> events = new ArrayDeque<>();
    private long count;

    public EventLog(Clock clock) {
        this.clock = clock;
    }

    /** Adds a line; what is for debugging only is left out. */
    public void add(Log.Level level, String line) {
        if (level == Log.Level.DEBUG) {
            return;
        }
        String text = line.length() > MAX_LENGTH ? line.substring(0, MAX_LENGTH) + "…" : line;
        lock.lock();
        try {
            events.addLast(new Event(++count, clock.instant(), level, text));
            if (events.size() > CAPACITY) {
                events.removeFirst();
            }
            added.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Returns all that are kept, the oldest first. */
    List<Event> latest() {
        lock.lock();
        try {
            return List.copyOf(events);
        } finally {
            lock.unlock();
        }
    }

    /** Returns those after a number, and waits for the first of them at most for this time. */
    List<Event> after(long number, Duration atMost) throws InterruptedException {
        lock.lock();
        try {
            long nanos = atMost.toNanos();
            while (count <= number && nanos > 0) {
                nanos = added.awaitNanos(nanos);
            }
            List<Event> found = new ArrayList<>(events);
            found.removeIf(event -> event.number() <= number);
            return found;
        } finally {
            lock.unlock();
        }
    }
}
