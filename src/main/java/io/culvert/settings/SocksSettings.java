package io.culvert.settings;

import io.culvert.ip.Prefix;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The SOCKS5 proxy.
 *
 * @param port 1 to 65535
 * @param udpPorts where datagrams of clients come in that are neither on an allowed local network nor in the mesh
 * @param config the user's own sockd.conf, which then rules instead of port, allow and login
 * @param allow the clients' networks
 * @param login empty where none is asked for
 */
public record SocksSettings(
        boolean enabled,
        int port,
        PortRange udpPorts,
        Optional<Path> config,
        List<Prefix> allow,
        Optional<Login> login) {

    public SocksSettings {
        allow = List.copyOf(allow);
    }

    /** The one user of the proxy. */
    public record Login(String user, Password password) {}
}
