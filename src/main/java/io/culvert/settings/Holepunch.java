package io.culvert.settings;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** A destination that local processes reach past the tunnel. */
public sealed interface Holepunch {

    /** Empty means both TCP and UDP; where there is no port either, every protocol. */
    Optional<Transport> transport();

    /**
     * Addresses.
     *
     * @param prefix without host bits; never a whole family
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

    /** A host name, whose addresses are followed when they change. */
    record ToName(Host.Name name, int port, Optional<Transport> transport) implements Holepunch {
        @Override
        public String toString() {
            return name + ":" + port + suffix(transport);
        }
    }

    /**
     * Reads {@code host:port}, {@code ip:port}, {@code [ipv6]:port}, an address or a prefix, each with an optional
     * {@code /tcp} or {@code /udp}.
     *
     * @throws IllegalArgumentException with a sentence for people
     */
    static Holepunch parse(String text) {
        if (text.contains("://")) {
            throw new Malformed(
                    "is '" + text + "', which is a URL", "write only its host and port, such as hs.example.net:443");
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
                "is '" + text + "': '" + word + "' is not a transport", "end it with /tcp, /udp, or nothing for both");
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
                            "is '" + text + "', a host name without a port", "write its port too: " + name + ":443");
            };
        } catch (Malformed malformed) {
            throw malformed;
        } catch (IllegalArgumentException e) {
            throw new Malformed(
                    "is '" + text + "': " + e.getMessage(),
                    "write host:port, ip:port, [ipv6]:port, an address or a network, each with /tcp or /udp if only"
                            + " that is meant");
        }
    }

    private static Prefix destination(String text, InetAddress address) {
        if (address.isAnyLocalAddress()) {
            throw new Malformed(
                    "is '" + text + "', which is no destination", "write the address that is to be reached");
        }
        return Prefix.host(address);
    }

    private static String suffix(Optional<Transport> transport) {
        return transport.map(t -> "/" + t).orElse("");
    }
}
