// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import java.time.Duration;
import java.time.Instant;

/**
 * The constants of WireGuard's timers, which every implementation shares
 * (https://www.wireguard.com/papers/wireguard.pdf, section 6.1), under their names there.
 */
public final class WireGuardTimers {

    /** The time after a handshake from which on a new one is due. */
    public static final Duration REKEY_AFTER_TIME = Duration.ofMinutes(2);

    /** The lifetime of a session after its handshake. */
    public static final Duration REJECT_AFTER_TIME = Duration.ofMinutes(3);

    /** The time after which an unanswered handshake initiation is sent again. */
    public static final Duration REKEY_TIMEOUT = Duration.ofSeconds(5);

    /** The time within which received data is answered, by an empty packet if there is nothing else to send. */
    public static final Duration KEEPALIVE_TIMEOUT = Duration.ofSeconds(10);

    /** The time after which a packet that was delivered has been answered; this one is not in the paper. */
    public static final Duration RESPONSE_TIMEOUT = KEEPALIVE_TIMEOUT.plus(REKEY_TIMEOUT);

    /** The size of a handshake initiation (white paper, section 5.4.2). */
    public static final int INITIATION_BYTES = 148;

    /** The size of a handshake response (white paper, section 5.4.3). */
    public static final int RESPONSE_BYTES = 92;

    /** The size of a keepalive: a data message without content (white paper, section 5.4.6). */
    public static final int KEEPALIVE_BYTES = 32;

    private WireGuardTimers() {}

    /** Returns whether the session of a handshake is still valid. */
    public static boolean isSessionValid(Instant handshake, Instant now) {
        return now.isBefore(handshake.plus(REJECT_AFTER_TIME));
    }
}
