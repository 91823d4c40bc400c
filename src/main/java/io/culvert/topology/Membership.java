package io.culvert.topology;

import io.culvert.ip.Prefix;
import java.util.List;
import java.util.Optional;

/**
 * The membership of a peer in a subnet.
 *
 * @param listenPort empty for a random one
 * @param addresses of its interface, with the subnet's prefix length; generated ones last
 */
record Membership(Written<String> subnet, Optional<Written<Integer>> listenPort, List<Written<Prefix>> addresses) {

    Membership {
        addresses = List.copyOf(addresses);
    }
}
