// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.Channel;
import java.util.List;

/** Opens the sockets on which a stub is queried: those of the system, or of a simulation. */
public interface StubSockets {

    StubSockets SYSTEM = (address, stub, opened) -> stub.open(address, opened);

    /**
     * Opens the sockets of an address, which the stub serves.
     *
     * @param address with port 0 for an ephemeral port
     * @param opened gets each socket as soon as it is open
     * @return the address with the actual port
     * @throws IOException if the address cannot be bound
     */
    InetSocketAddress open(InetSocketAddress address, DnsStub stub, List<Channel> opened) throws IOException;
}
