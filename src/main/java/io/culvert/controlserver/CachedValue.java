// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** A value that is read again only when it is older than some time, however many threads want it: one reads, the others wait. */
final class CachedValue<T> {

    private final Supplier<T> source;
    private final long maxAgeNanos;
    private final LongSupplier nanoTime;
    private Optional<T> value = Optional.empty();
    private long readAt;

    CachedValue(Supplier<T> source, Duration maxAge, LongSupplier nanoTime) {
        this.source = source;
        this.maxAgeNanos = maxAge.toNanos();
        this.nanoTime = nanoTime;
    }

    synchronized T get() {
        if (value.isEmpty() || nanoTime.getAsLong() - readAt > maxAgeNanos) {
            value = Optional.of(source.get());
            readAt = nanoTime.getAsLong();
        }
        return value.get();
    }

    /** Lets the next {@link #get} read it. */
    synchronized void expire() {
        value = Optional.empty();
    }
}
