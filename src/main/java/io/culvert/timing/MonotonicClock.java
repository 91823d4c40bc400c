// SPDX-License-Identifier: Apache-2.0
package io.culvert.timing;

import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The time for deadlines and durations: it advances steadily, also while the machine's clock is set ({@code
 * CLOCK_MONOTONIC}, clock_gettime(2)). Its times are comparable with each other only, and not with those of files, of
 * the kernel or of another instance.
 */
public final class MonotonicClock implements InstantSource {

    private final LongSupplier nanoTime;
    private final Instant origin;
    private final long nanosAtOrigin;

    /**
     * @param nanoTime as {@link System#nanoTime}
     * @param origin the time now; any will do
     */
    public MonotonicClock(LongSupplier nanoTime, Instant origin) {
        this.nanoTime = nanoTime;
        this.origin = origin;
        this.nanosAtOrigin = nanoTime.getAsLong();
    }

    /** Returns a clock that starts at the machine's time, so that its times are easy to read. */
    public static MonotonicClock system() {
        return new MonotonicClock(System::nanoTime, Instant.now());
    }

    @Override
    public Instant instant() {
        return origin.plusNanos(nanoTime.getAsLong() - nanosAtOrigin);
    }
}
