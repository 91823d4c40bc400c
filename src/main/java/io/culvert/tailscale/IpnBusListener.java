// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** Receives notifications from tailscaled's bus on a thread of its own, until the bus closes or this is closed. */
final class IpnBusListener implements AutoCloseable {

    private final AtomicReference<Optional<IpnBusReader>> reader = new AtomicReference<>(Optional.empty());
    private volatile boolean open = true;

    private IpnBusListener() {}

    /**
     * Starts listening.
     *
     * @param onNotification called on the executor with each notification
     */
    static IpnBusListener start(LocalApi api, Executor executor, Consumer<IpnNotification> onNotification) {
        IpnBusListener listener = new IpnBusListener();
        Thread.ofPlatform().name("tailscale-bus").daemon().start(() -> listener.listen(api, executor, onNotification));
        return listener;
    }

    boolean isOpen() {
        return open;
    }

    private void listen(LocalApi api, Executor executor, Consumer<IpnNotification> onNotification) {
        try (IpnBusReader bus = api.watch()) {
            reader.set(Optional.of(bus));
            for (Optional<IpnNotification> next = bus.next(); open && next.isPresent(); next = bus.next()) {
                IpnNotification notification = next.get();
                executor.execute(() -> {
                    if (open) { // Late notifications of a tailscaled that has exited are obsolete.
                        onNotification.accept(notification);
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
