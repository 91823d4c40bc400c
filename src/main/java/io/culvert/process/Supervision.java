package io.culvert.process;

import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** The dependencies that all children of a supervisor share. */
record Supervision(
        Children children,
        BackOff backOff,
        Timing timing,
        UnaryOperator<String> redactor,
        Consumer<ChildEvent> listener) {

    /**
     * Calls the listener. An exception of the listener is reported, but ends neither supervision nor reading of output.
     */
    void tell(ChildEvent event) {
        try {
            listener.accept(event);
        } catch (RuntimeException e) {
            Thread current = Thread.currentThread();
            current.getUncaughtExceptionHandler().uncaughtException(current, e);
        }
    }
}
