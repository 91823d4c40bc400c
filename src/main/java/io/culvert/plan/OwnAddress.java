package io.culvert.plan;

import io.culvert.ip.Prefix;
import io.culvert.network.Machine;
import java.net.InetAddress;
import java.util.Collection;

/** An address of a tunnel's interface, as it is set. */
final class OwnAddress {

    private OwnAddress() {}

    /**
     * As the file has it; where a server stands in its network, and not on a connected one, the address alone: the route of its
     * network would lead the tunnel's own packets into the tunnel.
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
