package io.culvert.migration;

import io.culvert.device.DeviceState.PeerState;
import io.culvert.wireguard.PublicKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A peer that may be found in several places.
 *
 * @param name for people
 * @param places in order of preference
 * @param inner its addresses in the tunnel, one of which is asked for an echo; empty where it has none
 */
public record MovingPeer(PublicKey key, String name, List<InetSocketAddress> places, List<InetAddress> inner) {

    /** {@code REJECT_AFTER_TIME} (WireGuard white paper, section 6.1): a peer that was heard since has a session. */
    private static final Duration ALIVE = Duration.ofMinutes(3);

    public MovingPeer {
        places = List.copyOf(places);
        inner = List.copyOf(inner);
    }

    /** Whether it is at one of its places, or lives elsewhere: then only this package moves it. */
    public boolean stays(PeerState state, Instant now) {
        return state.endpoint().filter(places::contains).isPresent() || hasSession(state, now);
    }

    static boolean hasSession(PeerState state, Instant now) {
        return state.lastHandshake()
                .filter(time -> time.plus(ALIVE).isAfter(now))
                .isPresent();
    }
}
