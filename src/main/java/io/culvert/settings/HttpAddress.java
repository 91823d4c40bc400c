// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/** An address on which the HTTP control server listens. No other than these: what it shows is not for hosts of the uplink. */
public sealed interface HttpAddress {

    /** A loopback address. */
    record OnLoopback(InetSocketAddress address) implements HttpAddress {}

    /** All addresses of the mesh interface. */
    record OnMesh(int port) implements HttpAddress {}

    /** A Unix socket. */
    record OnUnixSocket(Path path) implements HttpAddress {}

    /**
     * Parses {@code 127.0.0.1:8000}, {@code [::1]:8000}, {@code mesh:8000} or {@code unix:/path}.
     *
     * @throws MalformedValue with a message for the user
     */
    static HttpAddress parse(String text) {
        if (text.startsWith("unix:")) {
            return new OnUnixSocket(FilePath.parse(text.substring("unix:".length())));
        }
        int colon = text.lastIndexOf(':');
        if (colon < 0 || text.endsWith("]")) {
            throw new MalformedValue("'" + text + "' has no port", "use 127.0.0.1:8000, for example");
        }
        int port = WholeNumber.PORT.parse(text.substring(colon + 1));
        String host = text.substring(0, colon);
        if (host.equals("mesh")) {
            return new OnMesh(port);
        }
        InetAddress address;
        try {
            address = Prefix.parseAddress(
                    host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host);
        } catch (IllegalArgumentException _) {
            throw new MalformedValue(
                    "'" + host + "' is neither a loopback address nor 'mesh'",
                    "use 127.0.0.1, [::1] or mesh before the port, or unix: and a path");
        }
        if (!address.isLoopbackAddress()) {
            throw new MalformedValue(
                    "'" + host + "' is not a loopback address",
                    "use 127.0.0.1 or [::1], or mesh for the mesh interface; other containers reach it by sharing the"
                            + " network");
        }
        return new OnLoopback(new InetSocketAddress(address, port));
    }
}
