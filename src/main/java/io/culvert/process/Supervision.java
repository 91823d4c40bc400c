// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** The dependencies that all children of a supervisor share. */
record Supervision(
        Children children,
        BackOff backOff,
        SupervisorClock clock,
        UnaryOperator<String> redactor,
        Consumer<ChildEvent> listener) {

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
