// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.diagnostics.ProblemException;
import io.culvert.net.Host;
import io.culvert.plan.ResolvedNames;
import io.culvert.requirements.TunnelFile;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.wireguard.config.WireGuardConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;

/** The addresses of a tunnel's servers, resolved by the machine's resolver outside the namespace. */
record ServerAddresses(Environment environment, WireGuardConfig config) {

    /**
     * The time after which WireGuard gives a session up (REJECT_AFTER_TIME,
     * https://www.wireguard.com/papers/wireguard.pdf).
     */
    private static final Duration SESSION_TIMEOUT = Duration.ofMinutes(3);

    /**
     * Resolves the names of all servers.
     *
     * @throws ProblemException if one does not resolve
     */
    ResolvedNames resolve() {
        try (KernelConnections kernel = KernelConnections.open(environment)) {
            return TunnelFile.resolve(config, kernel.machine());
        }
    }

    /**
     * Resolves the names again, on another thread, as it may take long. Only after a timeout of the servers, as
     * otherwise an endpoint may be one that a server roamed to.
     */
    void resolveAgainIfStale(Optional<Instant> lastHandshake, Consumer<ResolvedNames> onResolved) {
        boolean hasNames = config.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .anyMatch(endpoint -> endpoint.host() instanceof Host.Name);
        boolean stale = lastHandshake
                .map(at -> at.plus(SESSION_TIMEOUT).isBefore(environment.clock().instant()))
                .orElse(true);
        if (hasNames && stale) {
            Thread.ofPlatform().daemon().name("names").start(() -> {
                try {
                    onResolved.accept(resolve());
                } catch (ProblemException e) {
                    environment.log().problems(e.problems());
                }
            });
        }
    }
}
