// SPDX-License-Identifier: Apache-2.0
package io.culvert.routing;

import io.culvert.net.Prefix;
import io.culvert.rtnl.Machine;
import java.net.InetAddress;
import java.util.Collection;

/** Plans the addresses of a tunnel's interface. */
public final class InterfaceAddress {

    private InterfaceAddress() {}

    /**
     * Returns the address as in the file, but without its network if the network contains a server that is not on a connected
     * network: the route to that network would lead the tunnel's own packets into the tunnel.
     */
    public static Prefix planned(Prefix address, Collection<InetAddress> servers, Machine machine) {
        boolean containsServer = !address.isHost()
                && servers.stream()
                        .filter(address.network()::contains)
                        .anyMatch(server -> machine.connected().stream()
                                .noneMatch(
                                        network -> network.contains(server) && network.length() >= address.length()));
        return containsServer ? Prefix.host(address.address()) : address;
    }
}
