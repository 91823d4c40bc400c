// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.util.Optional;

/**
 * How the packets of a socket leave: their firewall mark, and the only link that they may use.
 *
 * @param mark {@code SO_MARK}, 0 to 4294967295; 0 is the default of a new socket
 * @param device {@code SO_BINDTODEVICE}: packets leave by this link only, and not at all if it is missing
 */
public record Egress(long mark, Optional<String> device) {

    /** No mark, any link. */
    public static final Egress ANY = new Egress(0, Optional.empty());

    public Egress {
        if (mark < 0 || mark > 0xffffffffL) {
            throw new IllegalArgumentException("firewall mark " + mark + " is outside 0 to 4294967295");
        }
    }

    public static Egress marked(long mark) {
        return new Egress(mark, Optional.empty());
    }

    public Egress boundTo(String link) {
        return new Egress(mark, Optional.of(link));
    }
}
