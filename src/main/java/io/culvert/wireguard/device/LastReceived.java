// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.wireguard.device.DeviceState.PeerState;
import java.time.Instant;
import java.util.function.ToLongFunction;

/**
 * When something was last received, from the counters of a device or of a peer.
 *
 * @param received total bytes received at that time
 * @param sent total bytes sent at that time
 * @param at when it was observed, which may be some seconds after the packet arrived
 */
public record LastReceived(long received, long sent, Instant at) {

    /**
     * Two handshake initiations (148 bytes each, WireGuard white paper, section 5.4.2), which a device sends when its
     * data is not answered: more than keepalives, which are never answered, add up to between two handshakes, and less
     * than any exchange that waits for a response.
     */
    private static final long UNANSWERED_BYTES = 2 * 148;

    /** Returns the value for counters that start at zero. */
    public static LastReceived initial(Instant now) {
        return new LastReceived(0, 0, now);
    }

    /** Returns the value updated from a device's counters; this one if nothing was received since. */
    public LastReceived updated(DeviceState device, Instant now) {
        long in = sum(device, PeerState::receivedBytes);
        return in == received ? this : new LastReceived(in, sum(device, PeerState::sentBytes), now);
    }

    /** Returns whether a device sent so much since that a response is missing, and has waited long enough for it. */
    public boolean isOverdue(DeviceState device, Instant now) {
        return isUnanswered(sum(device, PeerState::sentBytes))
                && !now.isBefore(at.plus(WireGuardTimers.RESPONSE_TIMEOUT));
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
