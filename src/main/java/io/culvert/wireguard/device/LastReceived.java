// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/**
 * When something was last received, from the counters of a device or of a peer.
 *
 * @param received total bytes received at that time
 * @param sent total bytes sent at that time
 * @param at when it was observed, which may be some seconds after the packet arrived
 * @param sessions the latest session with each peer
 */
public record LastReceived(long received, long sent, Instant at, Map<PublicKey, Session> sessions) {

    /**
     * Two handshake initiations, which a device sends when its data is not answered: more than keepalives, which are
     * never answered, add up to between two handshakes, and less than any exchange that waits for a response.
     */
    private static final long UNANSWERED_BYTES = 2L * WireGuardTimers.INITIATION_BYTES;

    /**
     * The bytes received by one or two handshakes, as either side, and nothing else; none where an implementation does
     * not count them. All other packets of this size are multiples of 16 (WireGuard white paper, section 5.4.6), so
     * that they make no such sum.
     */
    private static final Set<Long> HANDSHAKES_ONLY = Set.of(
            0L,
            (long) WireGuardTimers.RESPONSE_BYTES,
            (long) WireGuardTimers.INITIATION_BYTES,
            2L * WireGuardTimers.RESPONSE_BYTES,
            (long) WireGuardTimers.RESPONSE_BYTES + WireGuardTimers.INITIATION_BYTES,
            2L * WireGuardTimers.INITIATION_BYTES);

    /** One may be due to a single lost packet. */
    private static final int MAX_UNANSWERED_SESSIONS = 1;

    /**
     * A session with a peer.
     *
     * @param handshake when it began
     * @param unanswered the number of sessions in a row, before this one, in which data was sent and none received. A
     *     device begins a new session before {@code REKEY_AFTER_TIME} only if its data was not answered ({@code
     *     wg_expired_new_handshake} in drivers/net/wireguard/timers.c): a peer answers all data that arrives, if only
     *     by a keepalive
     */
    public record Session(Instant handshake, int unanswered) {

        private Session next(Instant next) {
            boolean isEarly =
                    next.isAfter(handshake) && next.isBefore(handshake.plus(WireGuardTimers.REKEY_AFTER_TIME));
            return next.equals(handshake) ? this : new Session(next, isEarly ? unanswered + 1 : 0);
        }
    }

    public LastReceived {
        sessions = Map.copyOf(sessions);
    }

    /** Returns the value for counters that start at zero. */
    public static LastReceived initial(Instant now) {
        return new LastReceived(0, 0, now, Map.of());
    }

    /** Returns the value updated from a device's counters; this one if nothing was received since. */
    public LastReceived updated(DeviceState device, Instant now) {
        long in = sum(device, PeerState::receivedBytes);
        Map<PublicKey, Session> handshakes = device.peers().stream()
                .filter(peer -> peer.lastHandshake().isPresent())
                .collect(Collectors.toMap(PeerState::publicKey, this::session));
        if (in == received && handshakes.equals(sessions)) {
            return this;
        }
        boolean handshakesOnly = !handshakes.equals(sessions) && HANDSHAKES_ONLY.contains(in - received);
        return new LastReceived(
                in,
                sum(device, PeerState::sentBytes),
                now,
                handshakesOnly
                        ? handshakes
                        : handshakes.entrySet().stream()
                                .collect(Collectors.toMap(
                                        Map.Entry::getKey,
                                        it -> new Session(it.getValue().handshake(), 0))));
    }

    private Session session(PeerState peer) {
        Instant handshake = peer.lastHandshake().orElseThrow();
        return sessions.getOrDefault(peer.publicKey(), new Session(handshake, 0))
                .next(handshake);
    }

    /**
     * Returns whether a response is missing: a device sent much since, and has waited long enough, or it has to begin
     * one session after the other.
     */
    public boolean isOverdue(DeviceState device, Instant now) {
        return unansweredSessions() > MAX_UNANSWERED_SESSIONS
                || (isUnanswered(sum(device, PeerState::sentBytes))
                        && !now.isBefore(at.plus(WireGuardTimers.RESPONSE_TIMEOUT)));
    }

    /** Returns the number of sessions in a row in which data was sent and none received. */
    int unansweredSessions() {
        return sessions.values().stream().mapToInt(Session::unanswered).max().orElse(0);
    }

    /** Returns whether so much was sent to a peer since that a response is missing. */
    public boolean isUnanswered(PeerState peer) {
        return isUnanswered(peer.sentBytes());
    }

    private boolean isUnanswered(long sentNow) {
        return sentNow - sent >= UNANSWERED_BYTES;
    }

    private static long sum(DeviceState device, ToLongFunction<PeerState> counter) {
        return device.peers().stream().mapToLong(counter).sum();
    }
}
