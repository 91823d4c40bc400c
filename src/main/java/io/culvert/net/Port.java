// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

/**
 * A port of a transport protocol.
 *
 * @param number 1 to 65535
 */
public record Port(int number, Transport transport) {

    public Port {
        if (number < 1 || number > 65535) {
            throw new IllegalArgumentException("port " + number + " is outside 1 to 65535");
        }
    }

    /** {@code 53/udp}. */
    @Override
    public String toString() {
        return number + "/" + transport;
    }
}
