// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Family;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Limits the number of addresses of a name, so that a response with thousands of them does not add as many bypasses.
 */
final class AddressLimit {

    /** Per family. A UDP response of 512 bytes holds about 30 IPv4 addresses (RFC 1035 section 4.2.1). */
    static final int MAX_ADDRESSES = 32;

    private AddressLimit() {}

    /** Returns the addresses in their order; if too many, always the same subset, whatever order the server returns. */
    static List<InetAddress> of(String name, List<InetAddress> addresses, List<Problem> problems) {
        List<InetAddress> limited = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> ofFamily = addresses.stream()
                    .filter(address -> Family.of(address) == family)
                    .distinct()
                    .toList();
            if (ofFamily.size() > MAX_ADDRESSES) {
                problems.add(Problem.warning(
                        Location.machine(name),
                        "has " + ofFamily.size() + " " + family.text() + " addresses; only " + MAX_ADDRESSES
                                + " of them are used",
                        "use their networks instead of the name, if all of them are needed"));
                limited.addAll(ofFamily.stream()
                        .sorted((a, b) -> Arrays.compareUnsigned(a.getAddress(), b.getAddress()))
                        .limit(MAX_ADDRESSES)
                        .toList());
            } else {
                limited.addAll(ofFamily);
            }
        }
        return limited;
    }
}
