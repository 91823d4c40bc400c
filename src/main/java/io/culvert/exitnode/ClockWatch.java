// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.runtime.Environment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * Finds out whether the machine's clock is behind a time that the server may have seen. WireGuard's handshakes carry the
 * time, and a server rejects one that is not later than the last, without a response (whitepaper, section 5.1). A
 * machine without a battery for its clock starts in the past, until NTP has set it.
 */
final class ClockWatch {

    /** Less is corrected by NTP all the time, and is over before the next handshake. */
    private static final Duration TOLERANCE = Duration.ofSeconds(5);

    private final Environment environment;
    private Duration furthest;

    ClockWatch(Environment environment) {
        this.environment = environment;
        this.furthest = lead();
    }

    /** Notices a change of the clock; to be called at least at each handshake. */
    void update() {
        Duration now = lead();
        if (now.compareTo(furthest) > 0) {
            furthest = now;
        }
    }

    /**
     * Returns why the server may reject handshakes; empty where the clock gives no reason.
     *
     * @param file of the server, which was written on this machine, or at least before now
     */
    Optional<String> problem(Path file) {
        Duration setBack = furthest.minus(lead());
        if (setBack.compareTo(TOLERANCE) > 0) {
            return Optional.of("this machine's clock was set back by " + setBack.toSeconds()
                    + " s; a server that has seen the later time rejects handshakes until then");
        }
        Instant now = environment.clock().instant();
        return modified(file)
                .filter(time -> time.isAfter(now.plus(TOLERANCE)))
                .map(time -> "this machine's clock (" + now.truncatedTo(ChronoUnit.SECONDS)
                        + ") is behind the time of " + file
                        + "; a server that has seen a later time rejects handshakes until then");
    }

    private static Optional<Instant> modified(Path file) {
        try {
            return Optional.of(Files.getLastModifiedTime(file).toInstant());
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    /** Returns by how much the clock is ahead of a steady one. */
    private Duration lead() {
        return Duration.between(
                environment.monotonicClock().instant(), environment.clock().instant());
    }
}
