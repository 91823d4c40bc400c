// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The health of the tunnel, derived from the counters of the WireGuard device. A server that does not respond to
 * traffic is reported within half a minute, and one that only completes handshakes, because data is lost on the path to
 * it, within three quarters of a minute. On an idle tunnel, keepalives cause a new handshake every two minutes, so a
 * missing handshake means that the server is not responding.
 *
 * @param verdict the state at this time
 * @param handshake the latest handshake of any peer; empty before the first
 * @param nextCheck when to check again, as the verdict can change without an event
 */
public record TunnelHealth(Verdict verdict, Optional<Instant> handshake, Instant nextCheck) {

    /**
     * How late a handshake may be before the server counts as not responding. On an idle tunnel, the keepalive that
     * triggers it is sent up to 25 seconds later (other traffic delays it), and two attempts follow.
     */
    private static final Duration HANDSHAKE_GRACE =
            Duration.ofSeconds(25).plus(WireGuardTimers.REKEY_TIMEOUT.multipliedBy(2));

    /** The kernel sends no event for a handshake, so it is polled: often at first, then at growing intervals. */
    private static final Duration MIN_POLL_INTERVAL = Duration.ofMillis(5);

    /** The state of a tunnel. */
    public enum Verdict {
        /** No handshake yet. */
        CONNECTING,
        CONNECTED,
        /** Sent traffic is not answered, or a handshake is overdue. */
        SILENT,
        /** The last session has expired. */
        LOST
    }

    /**
     * Returns the health of a device.
     *
     * @param since when the device's server was last configured
     * @param lastReceived when the device last received something
     */
    public static TunnelHealth of(DeviceState device, Instant since, LastReceived lastReceived, Instant now) {
        Optional<Instant> last = device.lastHandshake();
        if (last.isEmpty()) {
            return new TunnelHealth(Verdict.CONNECTING, last, now.plus(pollInterval(Duration.between(since, now))));
        }
        Instant handshakeDeadline =
                last.get().plus(WireGuardTimers.REKEY_AFTER_TIME).plus(HANDSHAKE_GRACE);
        if (now.isBefore(handshakeDeadline)) {
            boolean isOverdue = lastReceived.isOverdue(device, now);
            return new TunnelHealth(
                    isOverdue ? Verdict.SILENT : Verdict.CONNECTED,
                    last,
                    now.plus(
                            isOverdue || lastReceived.unansweredSessions() > 0
                                    ? WireGuardTimers.REKEY_TIMEOUT
                                    : WireGuardTimers.RESPONSE_TIMEOUT));
        }
        Verdict verdict = WireGuardTimers.isSessionValid(last.get(), now) ? Verdict.SILENT : Verdict.LOST;
        return new TunnelHealth(verdict, last, now.plus(WireGuardTimers.REKEY_TIMEOUT));
    }

    private static Duration pollInterval(Duration waited) {
        Duration next = waited.dividedBy(10);
        if (next.compareTo(MIN_POLL_INTERVAL) < 0) {
            return MIN_POLL_INTERVAL;
        }
        return next.compareTo(WireGuardTimers.REKEY_TIMEOUT) > 0 ? WireGuardTimers.REKEY_TIMEOUT : next;
    }
}
