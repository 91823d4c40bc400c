// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Turns SIGTERM and SIGINT into a request to stop, so that the main thread can clean up in order and exit with its own
 * status. (A shutdown hook cannot: the JVM halts when the hooks are done, whatever the main thread is doing.) To be
 * installed after the handlers of frameworks. A SIGINT that was ignored when the program was started, as a shell does
 * for background jobs, stays ignored.
 */
public final class StopSignals implements AutoCloseable {

    private record ReplacedHandler(Signal signal, SignalHandler previous) {}

    private final List<ReplacedHandler> replacedHandlers = new ArrayList<>();

    private StopSignals() {}

    /**
     * Delivers both signals to the listener from now on.
     *
     * @param listener receives {@code SIGTERM} or {@code SIGINT}, once for each signal, on a separate thread; it
     *     hands the request over and returns
     */
    public static StopSignals deliverTo(Consumer<String> listener) {
        StopSignals signals = new StopSignals();
        for (String name : List.of("TERM", "INT")) {
            Signal signal = new Signal(name);
            signals.replacedHandlers.add(new ReplacedHandler(
                    signal, Signal.handle(signal, arrived -> listener.accept("SIG" + arrived.getName()))));
        }
        return signals;
    }

    /** Restores the previous signal handlers. */
    @Override
    public void close() {
        replacedHandlers.forEach(handler -> Signal.handle(handler.signal(), handler.previous()));
    }
}
