// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A bypass: a destination that local processes reach outside the tunnel.
 *
 * @param destination never all addresses of a family
 * @param transport empty for any protocol, or for TCP and UDP if there is a port
 * @param port empty for any port except those of DNS
 */
public record Bypass(Prefix destination, Optional<Transport> transport, OptionalInt port) {

    public Bypass {
        if (Coverage.mostlyCoveredFamily(List.of(destination)).isPresent()) {
            throw new IllegalArgumentException(
                    destination + " is everything: a kill switch that allows it would block nothing");
        }
    }

    /** Returns the form in which it is written: {@code 203.0.113.7:53/udp}, {@code 198.51.100.0/24}. */
    @Override
    public String toString() {
        String suffix = transport.map(it -> "/" + it).orElse("");
        if (port.isPresent()) {
            return new Endpoint(new Host.Literal(destination.address()), port.getAsInt()) + suffix;
        }
        return (destination.isHost() ? Prefix.text(destination.address()) : destination.toString()) + suffix;
    }
}
