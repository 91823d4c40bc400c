package io.culvert.migration;

import io.culvert.device.DeviceState.PeerState;
import java.time.Duration;
import java.time.Instant;

/** Whether a peer answers, told from what the device counts for it. Mutable; of one peer. */
final class Silence {

    /**
     * Two handshake initiations (148 bytes each, WireGuard white paper, section 5.4.2): more than the keepalives that nobody
     * answers, less than anything that somebody waits for.
     */
    private static final long TOO_MUCH_UNANSWERED = 2 * 148;

    /** Answers to what is sent come sooner, but from the other side of the world. */
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    /**
     * {@code KEEPALIVE_TIMEOUT} (section 6.1) and something: who has nothing to say, and answers no echo, says by then that
     * it is there.
     */
    private static final Duration PATIENCE_WITH_THE_QUIET = Duration.ofSeconds(13);

    /** In bytes a second; a conversation that nobody would mind a pause of. */
    private static final long QUIET = 2000;

    private long received;
    private long sent;
    private long answered;
    private Instant unansweredSince = Instant.MAX;
    private Instant lookedAt = Instant.MIN;
    private boolean quiet = true;
    private boolean echoes;
    private boolean met;

    /** Takes in what the device counts now. */
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

    /** Whether nothing has come in since the last look. */
    boolean heardSince(PeerState peer) {
        return peer.receivedBytes() != received;
    }

    /** It was asked, and it answered. */
    void answered(boolean byEcho) {
        answered = sent;
        unansweredSince = Instant.MAX;
        echoes |= byEcho;
    }

    /** Whether it ought to be asked if it is still there. */
    boolean isSuspicious(Instant now) {
        return !unansweredSince.equals(Instant.MAX) && !now.isBefore(due());
    }

    boolean isUnderSuspicion() {
        return !unansweredSince.equals(Instant.MAX);
    }

    /** Whether hardly anything is exchanged. */
    boolean isQuiet() {
        return quiet;
    }

    private Instant due() {
        // Who was never met was only called, and a call is answered at once.
        return unansweredSince.plus(echoes || !met ? PATIENCE : PATIENCE_WITH_THE_QUIET);
    }
}
