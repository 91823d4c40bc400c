package io.culvert.migration;

import io.culvert.device.DeviceState.PeerState;
import io.culvert.wireguard.PublicKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A peer with endpoint candidates.
 *
 * @param name the name in log lines
 * @param places the endpoint candidates, in order of preference
 * @param inner its addresses in the tunnel, the first of which is sent echo requests; empty where it has none
 */
public record MovingPeer(PublicKey key, String name, List<InetSocketAddress> places, List<InetAddress> inner) {

    /** {@code REJECT_AFTER_TIME} (WireGuard white paper, section 6.1), the longest lifetime of a session. */
    private static final Duration ALIVE = Duration.ofMinutes(3);

    public MovingPeer {
        places = List.copyOf(places);
        inner = List.copyOf(inner);
    }

    /** Returns whether the peer keeps its endpoint: a candidate, or one that it roamed to and has a session at. */
    public boolean stays(PeerState state, Instant now) {
        return state.endpoint().filter(places::contains).isPresent() || hasSession(state, now);
    }

    static boolean hasSession(PeerState state, Instant now) {
        return state.lastHandshake()
                .filter(time -> time.plus(ALIVE).isAfter(now))
                .isPresent();
    }
}
