// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.mesh.Mesh;
import io.culvert.process.HealthCheck;
import io.culvert.runtime.OperatingSystem;
import io.culvert.timing.Threads;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Checks that the proxies, Tailscale, the userspace WireGuard and the DNS stub respond, and restarts what does not; the
 * kill switch stays as it is. All methods are called on the event thread.
 */
final class HealthChecks implements AutoCloseable {

    private final Supplier<Mesh> mesh;
    private final HealthCheck.Prober prober;
    private final Threads threads;
    private final Executor eventThread;
    private final Log log;
    private final List<HealthCheck> checks = new ArrayList<>();
    private final Map<String, String> unresponsive = new TreeMap<>();

    /**
     * @param mesh the one in use
     * @param eventThread runs tasks on the event thread, each followed by a check of the node
     */
    HealthChecks(Supplier<Mesh> mesh, OperatingSystem system, Executor eventThread, Log log) {
        this.mesh = mesh;
        this.prober = system.prober();
        this.threads = system.threads();
        this.eventThread = eventThread;
        this.log = log;
    }

    /** Checks each component that is in use, from now on. */
    void start(Components components) {
        components.proxies().servers().forEach(server -> start(server.name(), server::checkResponds, server::kill));
        // With other settings, the mesh is another one.
        start(
                "tailscale",
                timeout -> mesh.get().checkResponds(timeout),
                () -> mesh.get().killUnresponsive());
        start("wireguard", components.tunnel()::checkResponds, components.tunnel()::kill);
        start("dns", components.dns()::checkResponds, () -> eventThread.execute(components.dns()::stopListening));
    }

    private void start(String name, HealthCheck.Probe probe, Runnable recovery) {
        checks.add(HealthCheck.start(
                name,
                timeout -> prober.run(name, probe, timeout),
                recovery,
                reason -> eventThread.execute(() -> report(name, reason)),
                threads));
    }

    private void report(String name, Optional<String> reason) {
        if (reason.isPresent()) {
            unresponsive.put(name, reason.get());
            log.warn(name + ": does not respond (" + reason.get() + "), restarting it; the kill switch stays active");
        } else {
            unresponsive.remove(name);
            log.info(name + ": responds again");
        }
    }

    /** Returns what does not respond, as one sentence; empty if everything does. */
    Optional<String> problem() {
        return unresponsive.isEmpty()
                ? Optional.empty()
                : Optional.of(String.join(" and ", unresponsive.keySet()) + " does not respond: "
                        + String.join("; ", unresponsive.values()));
    }

    @Override
    public void close() {
        checks.forEach(HealthCheck::close);
    }
}
