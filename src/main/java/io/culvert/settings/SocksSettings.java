// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Prefix;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The settings of the SOCKS5 proxy.
 *
 * @param port 1 to 65535
 * @param udpPorts the ports for datagrams of clients that are neither on an allowed local network nor in the mesh
 * @param config the user's own sockd.conf, which replaces port, allow and login of the SOCKS5 proxy
 * @param allow the networks of the clients
 * @param login empty if no authentication is required
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
}
