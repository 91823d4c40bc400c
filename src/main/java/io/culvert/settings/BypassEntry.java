// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Bypass;
import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** An entry of the list of bypasses, as it is written. */
public sealed interface BypassEntry {

    /** Returns the transport protocol; empty means TCP and UDP, or every protocol if there is no port either. */
    Optional<Transport> transport();

    /** A bypass to an address or a network. */
    record ToPrefix(Bypass bypass) implements BypassEntry {
        @Override
        public Optional<Transport> transport() {
            return bypass.transport();
        }

        @Override
        public String toString() {
            return bypass.toString();
        }
    }

    /** A bypass to a host name, whose addresses are resolved again when they change. */
    record ToName(Host.Name name, int port, Optional<Transport> transport) implements BypassEntry {
        @Override
        public String toString() {
            return name + ":" + port + transport.map(protocol -> "/" + protocol).orElse("");
        }
    }

    /**
     * Parses {@code host:port}, {@code ip:port}, {@code [ipv6]:port}, an address or a prefix, each with an optional
     * {@code /tcp} or {@code /udp}.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    static BypassEntry parse(String text) {
        if (text.contains("://")) {
            throw new MalformedValue(
                    "'" + text + "' is a URL", "use only its host and port, such as hs.example.net:443");
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
        throw new MalformedValue(
                "'" + text + "': '" + word + "' is not a transport protocol",
                "append /tcp or /udp, or omit the protocol to allow both");
    }

    private static BypassEntry target(String text, String target, Optional<Transport> transport) {
        if (target.indexOf('/') >= 0) {
            return new ToPrefix(new Bypass(NetworkPrefix.parseBypassed(target), transport, OptionalInt.empty()));
        }
        boolean oneColon = target.indexOf(':') >= 0 && target.indexOf(':') == target.lastIndexOf(':');
        try {
            if (target.startsWith("[") || oneColon) {
                Endpoint endpoint = Endpoint.parse(target);
                return switch (endpoint.host()) {
                    case Host.Literal(InetAddress address) ->
                        new ToPrefix(
                                new Bypass(destination(text, address), transport, OptionalInt.of(endpoint.port())));
                    case Host.Name name -> new ToName(name, endpoint.port(), transport);
                };
            }
            return switch (Host.parse(target)) {
                case Host.Literal(InetAddress address) ->
                    new ToPrefix(new Bypass(destination(text, address), transport, OptionalInt.empty()));
                case Host.Name name ->
                    throw new MalformedValue(
                            "'" + text + "' is a host name without a port", "add the port: " + name + ":443");
            };
        } catch (MalformedValue malformed) {
            throw malformed;
        } catch (IllegalArgumentException e) {
            throw new MalformedValue(
                    "'" + text + "': " + e.getMessage(),
                    "use host:port, ip:port, [ipv6]:port, an address or a network, each with an optional /tcp or"
                            + " /udp");
        }
    }

    private static Prefix destination(String text, InetAddress address) {
        if (address.isAnyLocalAddress()) {
            throw new MalformedValue("'" + text + "' is not a destination", "use the address to reach");
        }
        return Prefix.host(address);
    }
}
