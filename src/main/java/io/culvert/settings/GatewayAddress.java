// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Prefix;
import java.net.Inet4Address;
import java.net.InetAddress;

/** Parses the IPv4 address of a gateway in the tunnel. */
final class GatewayAddress {

    private GatewayAddress() {}

    static InetAddress parse(String text) {
        InetAddress address;
        try {
            address = Prefix.parseAddress(text);
        } catch (IllegalArgumentException _) {
            throw malformed(text);
        }
        if (!(address instanceof Inet4Address)
                || address.isLoopbackAddress()
                || address.isAnyLocalAddress()
                || address.isMulticastAddress()) {
            throw malformed(text);
        }
        return address;
    }

    private static MalformedValue malformed(String text) {
        return new MalformedValue(
                "'" + text + "' is not the IPv4 address of a gateway",
                "use the address that your provider names, such as 10.2.0.1");
    }
}
