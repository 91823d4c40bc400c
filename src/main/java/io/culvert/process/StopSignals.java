package io.culvert.process;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * SIGTERM and SIGINT as a request to stop, so that the main thread can take everything down in order and end with a status of
 * its own. (A shutdown hook cannot: the JVM halts when the hooks are done, whatever main is doing.) To be installed last,
 * after frameworks have installed theirs. A SIGINT that was ignored when we were started, as a shell does for its background
 * jobs, stays ignored.
 */
public final class StopSignals implements AutoCloseable {

    private record Replaced(Signal signal, SignalHandler before) {}

    private final List<Replaced> replaced = new ArrayList<>();

    private StopSignals() {}

    /**
     * From now on both signals go to the listener.
     *
     * @param listener gets {@code SIGTERM} or {@code SIGINT}, once for each that arrives, on a thread of its own; it hands
     *     the request over and returns
     */
    public static StopSignals deliverTo(Consumer<String> listener) {
        StopSignals signals = new StopSignals();
        for (String name : List.of("TERM", "INT")) {
            Signal signal = new Signal(name);
            signals.replaced.add(new Replaced(
                    signal, Signal.handle(signal, arrived -> listener.accept("SIG" + arrived.getName()))));
        }
        return signals;
    }

    /** Puts back what handled the signals before. */
    @Override
    public void close() {
        replaced.forEach(one -> Signal.handle(one.signal(), one.before()));
    }
}
