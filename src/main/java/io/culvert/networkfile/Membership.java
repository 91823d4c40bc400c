// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;
import java.util.List;
import java.util.Optional;

/**
 * The membership of a peer in a subnet.
 *
 * @param listenPort empty for a random one
 * @param addresses of its interface, with the subnet's prefix length; generated ones last
 */
record Membership(
        LocatedValue<String> subnet, Optional<LocatedValue<Integer>> listenPort, List<LocatedValue<Prefix>> addresses) {

    Membership {
        addresses = List.copyOf(addresses);
    }
}
