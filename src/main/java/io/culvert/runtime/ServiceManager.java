// SPDX-License-Identifier: Apache-2.0
package io.culvert.runtime;

import io.culvert.linux.LocalDatagram;
import io.culvert.linux.SystemCallException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Tells systemd about the state of this service (sd_notify(3)), if it started this process and asks for it: in
 * {@code NOTIFY_SOCKET}, and for a watchdog in {@code WATCHDOG_USEC} (sd_watchdog_enabled(3)).
 */
public final class ServiceManager {

    private final Optional<String> socket;
    private final Optional<Duration> watchdog;
    private String status = "";

    private ServiceManager(Optional<String> socket, Optional<Duration> watchdog) {
        this.socket = socket;
        this.watchdog = watchdog;
    }

    public static ServiceManager of(Environment environment) {
        Map<String, String> variables = environment.variables();
        Optional<String> socket = Optional.ofNullable(variables.get("NOTIFY_SOCKET"))
                .filter(name -> name.startsWith("/") || name.startsWith("@"));
        return new ServiceManager(socket, socket.flatMap(_ -> watchdog(variables)));
    }

    private static Optional<Duration> watchdog(Map<String, String> variables) {
        String pid = variables.getOrDefault("WATCHDOG_PID", "");
        boolean isForOther = !pid.isEmpty()
                && !pid.equals(Long.toString(ProcessHandle.current().pid()));
        try {
            long microseconds = Long.parseLong(variables.getOrDefault("WATCHDOG_USEC", "0"));
            return microseconds <= 0 || isForOther
                    ? Optional.empty()
                    : Optional.of(Duration.ofMillis(microseconds / 1000));
        } catch (NumberFormatException _) {
            return Optional.empty();
        }
    }

    /** Returns how often to send {@link #alive}: half of the time after which systemd restarts the service. */
    public Optional<Duration> aliveInterval() {
        return watchdog.map(time -> time.dividedBy(2));
    }

    /** The service is ready, for the first time or again after {@link #reloading}. */
    public void ready() {
        send("READY=1");
    }

    /** The service loads its configuration again; {@link #ready} follows. */
    public void reloading() {
        // The clock is CLOCK_MONOTONIC, whose time has to be later than that of the request to reload.
        send("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1000);
    }

    public void stopping() {
        send("STOPPING=1");
    }

    public void alive() {
        send("WATCHDOG=1");
    }

    /** Shows a line in {@code systemctl status}, if it is another one than before. It is made only where it is asked for. */
    public void status(Supplier<String> line) {
        if (socket.isEmpty()) {
            return;
        }
        String next = line.get();
        if (!next.equals(status)) {
            status = next;
            send("STATUS=" + next);
        }
    }

    private void send(String message) {
        socket.ifPresent(name -> {
            try {
                LocalDatagram.send(name, message);
            } catch (SystemCallException _) {
                // A service must not fail because its state is not received.
            }
        });
    }
}
