package io.culvert.migration;

import io.culvert.wireguard.PublicKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * A peer that may be found in several places.
 *
 * @param name for people
 * @param places in order of preference
 * @param inner its addresses in the tunnel, one of which is asked for an echo; empty where it has none
 */
public record MovingPeer(PublicKey key, String name, List<InetSocketAddress> places, List<InetAddress> inner) {

    public MovingPeer {
        places = List.copyOf(places);
        inner = List.copyOf(inner);
    }
}
