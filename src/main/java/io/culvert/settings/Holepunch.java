package io.culvert.settings;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** A bypass: a destination that local processes reach outside the tunnel. */
public sealed interface Holepunch {

    /** Returns the transport protocol; empty means TCP and UDP, or every protocol if there is no port either. */
    Optional<Transport> transport();

    /**
     * A bypass to an address or a network.
     *
     * @param prefix without host bits; never all addresses of a family
     * @param port empty means all
     */
    record ToPrefix(Prefix prefix, OptionalInt port, Optional<Transport> transport) implements Holepunch {
        @Override
        public String toString() {
            String text = Prefix.text(prefix.address());
            if (port.isPresent()) {
                return new Endpoint(new Host.Literal(prefix.address()), port.getAsInt()) + suffix(transport);
            }
            return (prefix.isHost() ? text : prefix.toString()) + suffix(transport);
        }
    }

    /** A bypass to a host name, whose addresses are resolved again when they change. */
    record ToName(Host.Name name, int port, Optional<Transport> transport) implements Holepunch {
        @Override
        public String toString() {
            return name + ":" + port + suffix(transport);
        }
    }

    /**
     * Parses {@code host:port}, {@code ip:port}, {@code [ipv6]:port}, an address or a prefix, each with an optional
     * {@code /tcp} or {@code /udp}.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    static Holepunch parse(String text) {
        if (text.contains("://")) {
            throw new Malformed("'" + text + "' is a URL", "use only its host and port, such as hs.example.net:443");
        }
        Optional<Transport> transport = Optional.empty();
        String target = text;
        int slash = text.lastIndexOf('/');
        String end = text.substring(slash + 1).toLowerCase(Locale.ROOT);
        if (slash >= 0 && !(!end.isEmpty() && end.charAt(0) >= '0' && end.charAt(0) <= '9')) {
            transport = Optional.of(transport(text, end));
            target = text.substring(0, slash);
        }
        return target(text, target, transport);
    }

    private static Transport transport(String text, String word) {
        for (Transport transport : Transport.values()) {
            if (transport.toString().equals(word)) {
                return transport;
            }
        }
        throw new Malformed(
                "'" + text + "': '" + word + "' is not a transport protocol",
                "append /tcp or /udp, or omit the protocol to allow both");
    }

    private static Holepunch target(String text, String target, Optional<Transport> transport) {
        if (target.indexOf('/') >= 0) {
            return new ToPrefix(Subnet.parsePart(target), OptionalInt.empty(), transport);
        }
        boolean oneColon = target.indexOf(':') >= 0 && target.indexOf(':') == target.lastIndexOf(':');
        try {
            if (target.startsWith("[") || oneColon) {
                Endpoint endpoint = Endpoint.parse(target);
                return switch (endpoint.host()) {
                    case Host.Literal(InetAddress address) ->
                        new ToPrefix(destination(text, address), OptionalInt.of(endpoint.port()), transport);
                    case Host.Name name -> new ToName(name, endpoint.port(), transport);
                };
            }
            return switch (Host.parse(target)) {
                case Host.Literal(InetAddress address) ->
                    new ToPrefix(destination(text, address), OptionalInt.empty(), transport);
                case Host.Name name ->
                    throw new Malformed(
                            "'" + text + "' is a host name without a port", "add the port: " + name + ":443");
            };
        } catch (Malformed malformed) {
            throw malformed;
        } catch (IllegalArgumentException e) {
            throw new Malformed(
                    "'" + text + "': " + e.getMessage(),
                    "use host:port, ip:port, [ipv6]:port, an address or a network, each with an optional /tcp or"
                            + " /udp");
        }
    }

    private static Prefix destination(String text, InetAddress address) {
        if (address.isAnyLocalAddress()) {
            throw new Malformed("'" + text + "' is not a destination", "use the address to reach");
        }
        return Prefix.host(address);
    }

    private static String suffix(Optional<Transport> transport) {
        return transport.map(t -> "/" + t).orElse("");
    }
}
