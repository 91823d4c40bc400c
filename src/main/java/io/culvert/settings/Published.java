package io.culvert.settings;

import io.culvert.ip.Transport;
import java.util.Locale;

/**
 * A port of a service in our network namespace that answers on the uplink.
 *
 * @param port 1 to 65535
 */
public record Published(int port, Transport transport) {

    /**
     * Reads {@code 8080} (TCP), {@code 8080/tcp} or {@code 53/udp}.
     *
     * @throws IllegalArgumentException with a sentence for people
     */
    public static Published parse(String text) {
        if (text.indexOf(':') >= 0) {
            throw new Malformed(
                    "is '" + text + "', which maps one port to another",
                    "write only the port that the service listens on; the container's own port mapping does the rest");
        }
        int slash = text.indexOf('/');
        String word = text.substring(slash + 1).toLowerCase(Locale.ROOT);
        Transport transport = switch (slash < 0 ? "tcp" : word) {
            case "tcp" -> Transport.TCP;
            case "udp" -> Transport.UDP;
            default ->
                throw new Malformed("is '" + text + "': '" + word + "' is not a transport", "write /tcp or /udp");
        };
        return new Published(WholeNumber.PORT.parse(slash < 0 ? text : text.substring(0, slash)), transport);
    }

    /** {@code 53/udp}. */
    @Override
    public String toString() {
        return port + "/" + transport;
    }
}
