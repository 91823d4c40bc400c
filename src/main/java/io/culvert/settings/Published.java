package io.culvert.settings;

import io.culvert.ip.Transport;
import java.util.Locale;

/**
 * A port of a service in this network namespace that is open on the uplink.
 *
 * @param port 1 to 65535
 */
public record Published(int port, Transport transport) {

    /**
     * Parses {@code 8080} (TCP), {@code 8080/tcp} or {@code 53/udp}.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public static Published parse(String text) {
        if (text.indexOf(':') >= 0) {
            throw new Malformed(
                    "'" + text + "' maps one port to another",
                    "use only the port that the service listens on; ports are mapped by the container engine");
        }
        int slash = text.indexOf('/');
        String word = text.substring(slash + 1).toLowerCase(Locale.ROOT);
        Transport transport = switch (slash < 0 ? "tcp" : word) {
            case "tcp" -> Transport.TCP;
            case "udp" -> Transport.UDP;
            default ->
                throw new Malformed("'" + text + "': '" + word + "' is not a transport protocol", "use /tcp or /udp");
        };
        return new Published(WholeNumber.PORT.parse(slash < 0 ? text : text.substring(0, slash)), transport);
    }

    /** {@code 53/udp}. */
    @Override
    public String toString() {
        return port + "/" + transport;
    }
}
