package io.culvert.mesh.tailscale;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** Receives notifications from tailscaled's bus on a thread of its own, until the bus closes or this is closed. */
final class Listener implements AutoCloseable {

    private final AtomicReference<Optional<BusReader>> reader = new AtomicReference<>(Optional.empty());
    private volatile boolean open = true;

    private Listener() {}

    /**
     * Starts listening.
     *
     * @param heard called on the executor with each notification
     */
    static Listener start(LocalApi api, Executor executor, Consumer<Notice> heard) {
        Listener listener = new Listener();
        Thread.ofPlatform().name("tailscale-bus").daemon().start(() -> listener.listen(api, executor, heard));
        return listener;
    }

    boolean isOpen() {
        return open;
    }

    private void listen(LocalApi api, Executor executor, Consumer<Notice> heard) {
        try (BusReader bus = api.watch()) {
            reader.set(Optional.of(bus));
            for (Optional<Notice> next = bus.next(); open && next.isPresent(); next = bus.next()) {
                Notice notice = next.get();
                executor.execute(() -> {
                    if (open) { // Late notifications of a tailscaled that has exited are obsolete.
                        heard.accept(notice);
                    }
                });
            }
        } catch (IOException _) {
            // tailscaled does not listen yet, or has exited.
        } finally {
            open = false;
        }
    }

    @Override
    public void close() {
        open = false;
        reader.get().ifPresent(bus -> {
            try {
                bus.close();
            } catch (IOException _) {
                // The connection is closed anyway.
            }
        });
    }
}
