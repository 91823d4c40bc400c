// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** The wall clock of a simulation, which may be set. */
final class SimulatedClock extends Clock {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final SimulatedThreads threads;
    private Duration offset = Duration.ZERO;

    SimulatedClock(SimulatedThreads threads) {
        this.threads = threads;
    }

    void set(Duration difference) {
        offset = offset.plus(difference);
    }

    @Override
    public Instant instant() {
        return START.plusNanos(threads.nanoTime()).plus(offset);
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }
}
