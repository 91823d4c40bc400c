// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.mesh.Mesh;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Offers the exit node to the mesh once the tunnel is connected, and withdraws it when the connection has been lost for
 * too long, so that clients that can choose use another one.
 */
final class ExitOffer {

    private final Supplier<Mesh> mesh;
    private Optional<Duration> withdrawAfter;
    private final Log log;
    private Optional<Instant> lostAt = Optional.empty();
    private boolean offered;

    /**
     * @param mesh the one in use
     * @param withdrawAfter how long the connection may be lost; empty to offer the exit node until the end
     */
    ExitOffer(Supplier<Mesh> mesh, Optional<Duration> withdrawAfter, Log log) {
        this.mesh = mesh;
        this.withdrawAfter = withdrawAfter;
        this.log = log;
    }

    /** Changes how long the connection may be lost. */
    void withdrawAfter(Optional<Duration> time) {
        withdrawAfter = time;
    }

    /**
     * Offers or withdraws it.
     *
     * @return when to call this again at the latest; empty if only a change matters
     */
    Optional<Instant> update(boolean connected, Instant now) {
        if (connected) {
            lostAt = Optional.empty();
            offered = true;
            mesh.get().offerExit();
            return Optional.empty();
        }
        if (!offered || withdrawAfter.isEmpty()) {
            return Optional.empty();
        }
        Instant lost = lostAt.orElse(now);
        lostAt = Optional.of(lost);
        Instant deadline = lost.plus(withdrawAfter.get());
        if (now.isBefore(deadline)) {
            return Optional.of(deadline);
        }
        offered = false;
        log.warn("mesh: exit node withdrawn, as the tunnel has not been connected for "
                + withdrawAfter.get().toSeconds() + " s");
        mesh.get().withdrawExit();
        return Optional.empty();
    }
}
