// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Prefix;
import java.net.InetAddress;

/** Parses the address of a DNS server that is reached through the tunnel. */
final class DnsServer {

    private DnsServer() {}

    static InetAddress parse(String text) {
        InetAddress address;
        try {
            address = Prefix.parseAddress(text);
        } catch (IllegalArgumentException e) {
            throw new MalformedValue(
                    "'" + text + "' is not an IP address",
                    "use the address of the server, without a name, port or scheme");
        }
        if (address.isLoopbackAddress() || address.isAnyLocalAddress() || address.isMulticastAddress()) {
            throw new MalformedValue(
                    "'" + text + "' is not reachable through the tunnel",
                    "use a server that is reachable through the tunnel");
        }
        return address;
    }
}
