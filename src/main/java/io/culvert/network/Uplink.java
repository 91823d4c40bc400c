package io.culvert.network;

import io.culvert.ip.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * How one family leaves this machine without a tunnel: the default route of table main with the lowest metric; where there is
 * none, the widest route by a gateway, as a default route may be written in two halves, or lead to one server only.
 *
 * @param gateway empty where the route is on-link
 * @param addresses the interface's global addresses of this family, with their prefix lengths
 * @param mtu of the interface, or of its default route where that is less, in bytes
 */
public record Uplink(String link, Optional<InetAddress> gateway, List<Prefix> addresses, int mtu) {

    public Uplink {
        addresses = List.copyOf(addresses);
    }
}
