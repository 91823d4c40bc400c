package io.culvert.plan;

import io.culvert.ip.Prefix;
import io.culvert.network.Machine;
import java.net.InetAddress;
import java.util.Collection;

/** Plans the addresses of a tunnel's interface. */
final class OwnAddress {

    private OwnAddress() {}

    /**
     * Returns the address as in the file, but without its network if the network contains a server that is not on a connected
     * network: the route to that network would lead the tunnel's own packets into the tunnel.
     */
    static Prefix planned(Prefix own, Collection<InetAddress> servers, Machine machine) {
        boolean swallows = !own.isHost()
                && servers.stream()
                        .filter(own.network()::contains)
                        .anyMatch(server -> machine.connected().stream()
                                .noneMatch(network -> network.contains(server) && network.length() >= own.length()));
        return swallows ? Prefix.host(own.address()) : own;
    }
}
