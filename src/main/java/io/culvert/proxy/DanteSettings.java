package io.culvert.proxy;

import io.culvert.ip.Prefix;
import java.util.List;
import java.util.Optional;

/**
 * What our configuration of Dante says.
 *
 * @param port 1 to 65535
 * @param tunnel the interface by which everything goes out
 * @param ipv6 whether this machine has IPv6 to listen on
 * @param clients who may use it
 * @param unreachable where its clients must not get, besides this machine itself: the tunnel's and the mesh's own
 *     addresses, the LAN
 * @param near whose datagrams may come in on any port; for all others there is {@code udpPorts}
 * @param udpPorts such as {@code 1081-1096}; empty where others get any port, too
 * @param login empty: whoever is among the clients
 */
public record DanteSettings(
        int port,
        String tunnel,
        boolean ipv6,
        List<Prefix> clients,
        List<Prefix> unreachable,
        List<Prefix> near,
        Optional<String> udpPorts,
        Optional<Login> login) {

    public DanteSettings {
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("port " + port + " is outside 1 to 65535");
        }
        clients = List.copyOf(clients);
        unreachable = List.copyOf(unreachable);
        near = List.copyOf(near);
    }
}
