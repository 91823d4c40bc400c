// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.net.InetSocketAddress;
import java.util.regex.Pattern;

/**
 * A host and a port, such as {@code 192.0.2.10:51820}, {@code [2001:db8::1]:51820} or {@code vpn.example.net:51820}.
 *
 * @param port 1 to 65535
 */
public record Endpoint(Host host, int port) {

    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}");

    public Endpoint {
        Port.requireNumber(port);
    }

    /** Returns the endpoint for a resolved address and port. */
    public static Endpoint of(InetSocketAddress address) {
        return new Endpoint(new Host.Literal(address.getAddress()), address.getPort());
    }

    /**
     * Parses {@code host:port}, with an IPv6 address in brackets.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public static Endpoint parse(String text) {
        if (text.contains("://")) {
            throw new MalformedText("'" + text + "' is a URL", "write host:port");
        }
        int colon = text.lastIndexOf(':');
        if (colon == 0) {
            throw new MalformedText("'" + text + "' has no host", "write host:port");
        }
        if (colon < 0) {
            throw new MalformedText("'" + text + "' has no port", "write host:port");
        }
        String host = text.substring(0, colon);
        String port = text.substring(colon + 1);
        if (host.startsWith("[")) {
            if (!host.endsWith("]")) {
                throw new MalformedText("'" + text + "' has no port", "write [address]:port");
            }
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new MalformedText("'" + text + "' is ambiguous", "write an IPv6 address in brackets, [address]:port");
        }
        if (!PORT.matcher(port).matches()) {
            throw new IllegalArgumentException("'" + port + "' is not a port: 1 to " + Port.MAX);
        }
        return new Endpoint(Host.parse(host), Integer.parseInt(port));
    }

    @Override
    public String toString() {
        String text = host.toString();
        return (text.indexOf(':') >= 0 ? "[" + text + "]" : text) + ":" + port;
    }
}
