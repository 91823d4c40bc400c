package io.culvert.process;

import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** What all children of a supervisor share. */
record Supervision(
        Children children,
        BackOff backOff,
        Timing timing,
        UnaryOperator<String> redactor,
        Consumer<ChildEvent> listener) {

    /** A listener that fails is reported, but ends neither the supervision nor the reading of output. */
    void tell(ChildEvent event) {
        try {
            listener.accept(event);
        } catch (RuntimeException e) {
            Thread current = Thread.currentThread();
            current.getUncaughtExceptionHandler().uncaughtException(current, e);
        }
    }
}
