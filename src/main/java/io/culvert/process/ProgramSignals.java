// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.linux.OwnProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Turns signals into requests: SIGTERM and SIGINT into one to stop, so that the main thread can clean up in order and exit with
 * its own status (a shutdown hook cannot: the JVM halts when the hooks are done, whatever the main thread is doing), and SIGHUP
 * into one to reload. To be installed after the handlers of frameworks. A SIGINT that was ignored when the program was started,
 * as a shell does for background jobs, stays ignored.
 */
public final class ProgramSignals implements AutoCloseable {

    private record ReplacedHandler(Signal signal, SignalHandler previous) {}

    private final List<ReplacedHandler> replacedHandlers = new ArrayList<>();

    private ProgramSignals(List<String> names, Consumer<String> listener) {
        for (String name : names) {
            Signal signal = new Signal(name);
            replacedHandlers.add(new ReplacedHandler(
                    signal, Signal.handle(signal, arrived -> listener.accept("SIG" + arrived.getName()))));
        }
    }

    /**
     * Delivers SIGTERM and SIGINT to the listener from now on.
     *
     * @param listener receives {@code SIGTERM} or {@code SIGINT}, once for each signal, on a separate thread; it
     *     hands the request over and returns
     */
    public static ProgramSignals onStop(Consumer<String> listener) {
        return new ProgramSignals(List.of("TERM", "INT"), listener);
    }

    /**
     * Delivers SIGHUP to the listener in the same way, as the conventional request to read the configuration again. Under nohup
     * too: the program survives that its terminal is closed, and can still be asked.
     */
    public static ProgramSignals onReload(Consumer<String> listener) {
        OwnProcess.unignoreHangups();
        return new ProgramSignals(List.of("HUP"), listener);
    }

    /** Restores the previous signal handlers. */
    @Override
    public void close() {
        replacedHandlers.forEach(handler -> Signal.handle(handler.signal(), handler.previous()));
    }
}
