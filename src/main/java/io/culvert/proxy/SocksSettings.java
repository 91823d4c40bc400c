package io.culvert.proxy;

import io.culvert.ip.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What is wanted of the proxy.
 *
 * @param port 1 to 65535
 * @param tunnel the interface by which everything goes out
 * @param ipv6 whether this machine has IPv6 to listen on
 * @param clients who may use it
 * @param unreachable where its clients must not get, besides this machine itself: the tunnel's and the mesh's own
 *     addresses, the LAN
 * @param login empty: whoever is among the clients
 */
public record SocksSettings(
        int port, String tunnel, boolean ipv6, List<Prefix> clients, List<Prefix> unreachable, Optional<Login> login) {

    /** Private (RFC 1918, RFC 4193), shared as meshes use it (RFC 6598), link-local, and this machine. */
    public static final List<Prefix> USUAL_CLIENTS = Stream.of(
                    "10.0.0.0/8",
                    "172.16.0.0/12",
                    "192.168.0.0/16",
                    "100.64.0.0/10",
                    "127.0.0.0/8",
                    "fd00::/8",
                    "fe80::/10",
                    "::1/128")
            .map(Prefix::parse)
            .toList();

    public SocksSettings {
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("port " + port + " is outside 1 to 65535");
        }
        clients = List.copyOf(clients);
        unreachable = List.copyOf(unreachable);
    }
}
