// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.timing.BackOff;
import io.culvert.timing.Threads;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** The dependencies that all children of a supervisor share. */
record Supervision(
        Children children,
        BackOff backOff,
        Threads threads,
        UnaryOperator<String> redactor,
        Consumer<ChildEvent> listener) {

    /** The run time after which a child counts as recovered, so that its next exit is a first failure again. */
    static final Duration STABLE_AFTER = Duration.ofMinutes(1);

    /**
     * Calls the listener. An exception of the listener is reported, but ends neither supervision nor reading of output.
     */
    void report(ChildEvent event) {
        try {
            listener.accept(event);
        } catch (RuntimeException e) {
            Thread current = Thread.currentThread();
            current.getUncaughtExceptionHandler().uncaughtException(current, e);
        }
    }
}
