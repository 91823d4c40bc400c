// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

import io.culvert.wireguard.device.DeviceState.PeerState;
import io.culvert.wireguard.device.LastReceived;
import io.culvert.wireguard.device.WireGuardTimers;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** Detects that a peer no longer responds, from the counters of the device. Mutable; for one peer. */
final class ReceiveTimeout {

    /** The timeout for responses; longer than an intercontinental round trip. */
    private static final Duration RESPONSE_TIMEOUT = Duration.ofSeconds(3);

    /**
     * The timeout for a peer without traffic that does not respond to echo requests, which sends a keepalive.
     */
    private static final Duration KEEPALIVE_TIMEOUT = WireGuardTimers.KEEPALIVE_TIMEOUT.plus(RESPONSE_TIMEOUT);

    /** In bytes per second; below this, a pause of one second is acceptable. */
    private static final long QUIET_BYTES_PER_SECOND = 2000;

    private LastReceived lastReceived = LastReceived.initial(Instant.MIN);
    private long sent;
    private Instant unansweredSince = Instant.MAX;
    private Instant updatedAt = Instant.MIN;
    private boolean quiet = true;
    private boolean answersEchoes;
    private boolean hasHandshake;

    /** Updates from the current counters of the device. */
    void update(PeerState peer, Instant now) {
        long received = lastReceived.received();
        if (hasReceivedSince(peer) || peer.sentBytes() < sent) {
            lastReceived = new LastReceived(peer.receivedBytes(), peer.sentBytes(), now, Map.of());
            unansweredSince = Instant.MAX;
        } else if (lastReceived.isUnanswered(peer) && unansweredSince.equals(Instant.MAX)) {
            unansweredSince = now;
        }
        if (now.isAfter(updatedAt) && !updatedAt.equals(Instant.MIN)) {
            long bytes = Math.abs(peer.receivedBytes() - received) + Math.abs(peer.sentBytes() - sent);
            quiet = bytes * 1000 / Math.max(1, Duration.between(updatedAt, now).toMillis()) < QUIET_BYTES_PER_SECOND;
        }
        sent = peer.sentBytes();
        hasHandshake = peer.lastHandshake().isPresent();
        updatedAt = now;
    }

    /** Returns whether a packet was received since the last update. */
    boolean hasReceivedSince(PeerState peer) {
        return peer.receivedBytes() != lastReceived.received();
    }

    /** Records a response to a probe. */
    void recordResponse(boolean isEcho) {
        lastReceived = new LastReceived(lastReceived.received(), sent, updatedAt, Map.of());
        unansweredSince = Instant.MAX;
        answersEchoes |= isEcho;
    }

    /** Returns whether the peer should be probed. */
    boolean isExpired(Instant now) {
        return !unansweredSince.equals(Instant.MAX) && !now.isBefore(deadline());
    }

    boolean isRunning() {
        return !unansweredSince.equals(Instant.MAX);
    }

    /** Returns whether there is little traffic. */
    boolean isQuiet() {
        return quiet;
    }

    private Instant deadline() {
        // A peer without a session was only sent handshake initiations, which are answered at once.
        return unansweredSince.plus(answersEchoes || !hasHandshake ? RESPONSE_TIMEOUT : KEEPALIVE_TIMEOUT);
    }
}
