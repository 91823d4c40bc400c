// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import java.time.Duration;

/**
 * A port that a gateway forwards to this node, for TCP and UDP.
 *
 * @param internal the port that the requests named; 0 where the gateway chooses
 * @param port the external port, and that of this node
 * @param lifetime after which the gateway forgets it, unless it is renewed
 * @param epoch seconds since the gateway's table was reset
 */
record PortMapping(MappingProtocol protocol, int internal, int port, Duration lifetime, long epoch) {

    /** Returns whether the gateway has lost its table since a previous response (RFC 6886, section 3.6). */
    boolean isAfterReset(PortMapping previous, Duration elapsed) {
        return epoch + 2 < previous.epoch + elapsed.toSeconds() * 7 / 8;
    }
}
