// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.wireguard.device.DeviceState.PeerState;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The health of the tunnel, derived from the counters of the WireGuard device. A server that does not answer traffic
 * is reported within half a minute. On an idle tunnel, keepalives cause a new handshake every two minutes, so a missing
 * handshake means that the server is not responding.
 *
 * @param verdict the state at this time
 * @param handshake the latest handshake of any peer; empty before the first
 * @param nextCheck when to check again, as the verdict can change without an event
 */
public record TunnelHealth(Verdict verdict, Optional<Instant> handshake, Instant nextCheck) {

    /** {@code REKEY_AFTER_TIME} (WireGuard white paper, section 6.1): a new handshake is due. */
    private static final Duration REKEY_AFTER = Duration.ofMinutes(2);

    /** {@code REKEY_TIMEOUT}: an unanswered handshake initiation is sent again. */
    private static final Duration RETRY_INTERVAL = Duration.ofSeconds(5);

    /** {@code REJECT_AFTER_TIME}: the keys of the session expire. */
    private static final Duration REJECT_AFTER = Duration.ofMinutes(3);

    /**
     * How late a handshake may be before the server counts as not responding. On an idle tunnel, the keepalive that
     * triggers it is sent up to 25 seconds later (other traffic delays it), and two attempts follow.
     */
    private static final Duration HANDSHAKE_GRACE = Duration.ofSeconds(35);

    /** {@code KEEPALIVE_TIMEOUT} plus {@code REKEY_TIMEOUT}: a packet that was delivered has been answered by then. */
    private static final Duration RESPONSE_TIMEOUT = Duration.ofSeconds(15);

    /**
     * Two handshake initiations (148 bytes each, white paper, section 5.4.2), which the device sends when its data is
     * not answered. Keepalives, which are never answered, add up to less between two handshakes.
     */
    private static final long MAX_UNANSWERED_BYTES = 2 * 148;

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
        Optional<Instant> last = device.peers().stream()
                .map(PeerState::lastHandshake)
                .flatMap(Optional::stream)
                .max(Instant::compareTo);
        if (last.isEmpty()) {
            return new TunnelHealth(Verdict.CONNECTING, last, now.plus(pollInterval(Duration.between(since, now))));
        }
        Instant handshakeDeadline = last.get().plus(REKEY_AFTER).plus(HANDSHAKE_GRACE);
        if (now.isBefore(handshakeDeadline)) {
            boolean unanswered = lastReceived.unansweredBytes(device) >= MAX_UNANSWERED_BYTES
                    && !now.isBefore(lastReceived.at().plus(RESPONSE_TIMEOUT));
            return unanswered
                    ? new TunnelHealth(Verdict.SILENT, last, now.plus(RETRY_INTERVAL))
                    : new TunnelHealth(Verdict.CONNECTED, last, now.plus(RESPONSE_TIMEOUT));
        }
        Verdict verdict = now.isBefore(last.get().plus(REJECT_AFTER)) ? Verdict.SILENT : Verdict.LOST;
        return new TunnelHealth(verdict, last, now.plus(RETRY_INTERVAL));
    }

    private static Duration pollInterval(Duration waited) {
        Duration next = waited.dividedBy(10);
        if (next.compareTo(MIN_POLL_INTERVAL) < 0) {
            return MIN_POLL_INTERVAL;
        }
        return next.compareTo(RETRY_INTERVAL) > 0 ? RETRY_INTERVAL : next;
    }
}
