package io.culvert.topology;

import io.culvert.ip.Prefix;
import java.util.List;
import java.util.Optional;

/**
 * A peer's place in a subnet.
 *
 * @param listenPort empty for a random one
 * @param addresses as its interface has them, with the subnet's prefix length; generated ones last
 */
record Membership(Written<String> subnet, Optional<Written<Integer>> listenPort, List<Written<Prefix>> addresses) {

    Membership {
        addresses = List.copyOf(addresses);
    }
}
