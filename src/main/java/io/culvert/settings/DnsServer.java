package io.culvert.settings;

import io.culvert.ip.Prefix;
import java.net.InetAddress;

/** A DNS server that is asked through the tunnel. */
final class DnsServer {

    private DnsServer() {}

    static InetAddress parse(String text) {
        InetAddress address;
        try {
            address = Prefix.parseAddress(text);
        } catch (IllegalArgumentException e) {
            throw new Malformed(
                    "is '" + text + "', which is not an IP address",
                    "write the server's address, without name, port or scheme");
        }
        if (address.isLoopbackAddress() || address.isAnyLocalAddress() || address.isMulticastAddress()) {
            throw new Malformed(
                    "is '" + text + "', which the tunnel does not lead to",
                    "write a server that answers at the tunnel's other end");
        }
        return address;
    }
}
