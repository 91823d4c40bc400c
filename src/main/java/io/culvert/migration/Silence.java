package io.culvert.migration;

import io.culvert.device.DeviceState.PeerState;
import java.time.Duration;
import java.time.Instant;

/** Detects that a peer no longer responds, from the counters of the device. Mutable; for one peer. */
final class Silence {

    /**
     * Two handshake initiations (148 bytes each, WireGuard white paper, section 5.4.2): more than keepalives, which are
     * not answered, and less than any exchange that waits for a response.
     */
    private static final long TOO_MUCH_UNANSWERED = 2 * 148;

    /** The timeout for responses; longer than an intercontinental round trip. */
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    /**
     * The timeout for a peer without traffic that does not answer echo requests: it sends a keepalive within
     * {@code KEEPALIVE_TIMEOUT} (section 6.1), plus a margin.
     */
    private static final Duration PATIENCE_WITH_THE_QUIET = Duration.ofSeconds(13);

    /** In bytes per second; below this, a pause of one second is acceptable. */
    private static final long QUIET = 2000;

    private long received;
    private long sent;
    private long answered;
    private Instant unansweredSince = Instant.MAX;
    private Instant lookedAt = Instant.MIN;
    private boolean quiet = true;
    private boolean echoes;
    private boolean met;

    /** Updates from the current counters of the device. */
    void look(PeerState peer, Instant now) {
        if (peer.receivedBytes() != received || peer.sentBytes() < sent) {
            answered = peer.sentBytes();
            unansweredSince = Instant.MAX;
        } else if (peer.sentBytes() - answered >= TOO_MUCH_UNANSWERED && unansweredSince.equals(Instant.MAX)) {
            unansweredSince = now;
        }
        if (now.isAfter(lookedAt) && !lookedAt.equals(Instant.MIN)) {
            long bytes = Math.abs(peer.receivedBytes() - received) + Math.abs(peer.sentBytes() - sent);
            quiet = bytes * 1000 / Math.max(1, Duration.between(lookedAt, now).toMillis()) < QUIET;
        }
        received = peer.receivedBytes();
        sent = peer.sentBytes();
        met = peer.lastHandshake().isPresent();
        lookedAt = now;
    }

    /** Returns whether a packet was received since the last update. */
    boolean heardSince(PeerState peer) {
        return peer.receivedBytes() != received;
    }

    /** Records a response to a probe. */
    void answered(boolean byEcho) {
        answered = sent;
        unansweredSince = Instant.MAX;
        echoes |= byEcho;
    }

    /** Returns whether the peer should be probed. */
    boolean isSuspicious(Instant now) {
        return !unansweredSince.equals(Instant.MAX) && !now.isBefore(due());
    }

    boolean isUnderSuspicion() {
        return !unansweredSince.equals(Instant.MAX);
    }

    /** Returns whether there is little traffic. */
    boolean isQuiet() {
        return quiet;
    }

    private Instant due() {
        // A peer without a session was only sent handshake initiations, which are answered at once.
        return unansweredSince.plus(echoes || !met ? PATIENCE : PATIENCE_WITH_THE_QUIET);
    }
}
