// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Port;
import io.culvert.net.Transport;
import java.util.Locale;

/** Parses a port of a service in this network namespace that is open on the uplink. */
public final class PublishedPort {

    private PublishedPort() {}

    /**
     * Parses {@code 8080} (TCP), {@code 8080/tcp} or {@code 53/udp}.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public static Port parse(String text) {
        if (text.indexOf(':') >= 0) {
            throw new MalformedValue(
                    "'" + text + "' maps one port to another",
                    "use only the port that the service listens on; ports are mapped by the container engine");
        }
        int slash = text.indexOf('/');
        String word = text.substring(slash + 1).toLowerCase(Locale.ROOT);
        Transport transport = switch (slash < 0 ? "tcp" : word) {
            case "tcp" -> Transport.TCP;
            case "udp" -> Transport.UDP;
            default ->
                throw new MalformedValue(
                        "'" + text + "': '" + word + "' is not a transport protocol", "use /tcp or /udp");
        };
        return new Port(WholeNumber.PORT.parse(slash < 0 ? text : text.substring(0, slash)), transport);
    }
}
