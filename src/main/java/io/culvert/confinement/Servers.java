package io.culvert.confinement;

import io.culvert.ip.Host;
import io.culvert.needs.TunnelFile;
import io.culvert.plan.Names;
import io.culvert.problem.ProblemException;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.wireguard.WireGuardConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;

/** The addresses of a tunnel's servers, resolved by the machine's resolver outside the namespace. */
record Servers(Surroundings around, WireGuardConfig file) {

    /**
     * The time after which WireGuard gives a session up (REJECT_AFTER_TIME,
     * https://www.wireguard.com/papers/wireguard.pdf).
     */
    private static final Duration STALE = Duration.ofMinutes(3);

    /**
     * Resolves the names of all servers.
     *
     * @throws ProblemException if one does not resolve
     */
    Names resolve() {
        try (Kernel kernel = Kernel.open(around)) {
            return TunnelFile.resolve(file, kernel.machine());
        }
    }

    /**
     * Resolves the names again, on another thread, as it may take long. Only after a timeout of the servers, as
     * otherwise an endpoint may be one that a server roamed to.
     */
    void follow(Optional<Instant> lastHandshake, Consumer<Names> found) {
        boolean named = file.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .anyMatch(endpoint -> endpoint.host() instanceof Host.Name);
        boolean silent = lastHandshake
                .map(at -> at.plus(STALE).isBefore(around.clock().instant()))
                .orElse(true);
        if (named && silent) {
            Thread.ofPlatform().daemon().name("names").start(() -> {
                try {
                    found.accept(resolve());
                } catch (ProblemException e) {
                    around.journal().problems(e.problems());
                }
            });
        }
    }
}
