// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.List;
import java.util.Optional;

/**
 * A connection: links each peer that {@code a} selects with each peer that {@code b} selects, in both directions.
 *
 * @param subnets in which they are linked; absent for all subnets
 * @param presharedKeyFile instead of the subnet's
 */
record Connection(
        int line,
        int column,
        List<Selector> a,
        List<Selector> b,
        Optional<List<LocatedValue<String>>> subnets,
        Optional<LocatedValue<String>> presharedKeyFile) {

    Connection {
        a = List.copyOf(a);
        b = List.copyOf(b);
        subnets = subnets.map(List::copyOf);
    }
}
