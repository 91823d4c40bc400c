package io.culvert.health;

import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Whether the tunnel carries traffic, judged by what the device counts. A server that leaves what is sent unanswered is silent
 * within half a minute. Where nobody sends anything, a keepalive makes the session renew itself every two minutes, so that a
 * missing renewal means a dead server.
 *
 * @param verdict what is known now
 * @param handshake the last one of any peer; empty before the first
 * @param nextLook when the verdict can change without an event
 */
public record TunnelHealth(Verdict verdict, Optional<Instant> handshake, Instant nextLook) {

    /** {@code REKEY_AFTER_TIME} (WireGuard white paper, section 6.1): a new handshake is due. */
    private static final Duration REKEY_AFTER = Duration.ofMinutes(2);

    /** {@code REKEY_TIMEOUT}: a handshake that is not answered is sent again. */
    private static final Duration RETRY_EVERY = Duration.ofSeconds(5);

    /** {@code REJECT_AFTER_TIME}: the session's keys are not used any more. */
    private static final Duration REJECT_AFTER = Duration.ofMinutes(3);

    /**
     * How late a due handshake may be before the server counts as silent: where nobody sends anything, the keepalive that
     * brings it about comes up to 25 seconds later (any traffic puts it off), and then there are two tries.
     */
    private static final Duration PATIENCE = Duration.ofSeconds(35);

    /** {@code KEEPALIVE_TIMEOUT} and {@code REKEY_TIMEOUT}: what is sent has had its answer by then, or never will. */
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(15);

    /**
     * Two handshake initiations (148 bytes each, white paper, section 5.4.2), which the device sends when its data stay
     * unanswered. Keepalives, which nobody answers, are less in the time between two renewals.
     */
    private static final long TOO_MUCH_UNANSWERED = 2 * 148;

    /** The kernel tells nobody of a handshake: the first is looked for, often at the beginning, then less and less. */
    private static final Duration FIRST_LOOK = Duration.ofMillis(5);

    /** What is known of a tunnel. */
    public enum Verdict {
        /** No handshake yet. */
        CONNECTING,
        CONNECTED,
        /** What is sent is not answered, or a handshake is overdue. */
        SILENT,
        /** The last session has ended. */
        LOST
    }

    /**
     * @param since when the device was last given its server
     * @param heard of this device, up to now
     */
    public static TunnelHealth of(DeviceState device, Instant since, Heard heard, Instant now) {
        Optional<Instant> last = device.peers().stream()
                .map(PeerState::lastHandshake)
                .flatMap(Optional::stream)
                .max(Instant::compareTo);
        if (last.isEmpty()) {
            return new TunnelHealth(Verdict.CONNECTING, last, now.plus(nextTry(Duration.between(since, now))));
        }
        Instant due = last.get().plus(REKEY_AFTER).plus(PATIENCE);
        if (now.isBefore(due)) {
            boolean unanswered = heard.unanswered(device) >= TOO_MUCH_UNANSWERED
                    && !now.isBefore(heard.at().plus(ANSWER_WITHIN));
            return unanswered
                    ? new TunnelHealth(Verdict.SILENT, last, now.plus(RETRY_EVERY))
                    : new TunnelHealth(Verdict.CONNECTED, last, now.plus(ANSWER_WITHIN));
        }
        Verdict verdict = now.isBefore(last.get().plus(REJECT_AFTER)) ? Verdict.SILENT : Verdict.LOST;
        return new TunnelHealth(verdict, last, now.plus(RETRY_EVERY));
    }

    private static Duration nextTry(Duration waited) {
        Duration next = waited.dividedBy(10);
        if (next.compareTo(FIRST_LOOK) < 0) {
            return FIRST_LOOK;
        }
        return next.compareTo(RETRY_EVERY) > 0 ? RETRY_EVERY : next;
    }
}
