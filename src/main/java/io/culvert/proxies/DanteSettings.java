// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.settings.Login;
import java.util.List;
import java.util.Optional;

/**
 * The settings of the generated Dante configuration.
 *
 * @param port 1 to 65535
 * @param tunnel the interface by which all sessions leave
 * @param ipv6 whether this machine has IPv6 to listen on
 * @param clients the networks of permitted clients
 * @param unreachable destinations that clients must not reach, besides this machine itself: the tunnel's and the mesh's
 *     own addresses, the LAN
 * @param near networks whose clients may send UDP to any port; others are limited to {@code udpPorts}
 * @param udpPorts such as {@code 1081-1096}; empty if other clients may use any port too
 * @param login empty if clients need no login
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
        Port.requireNumber(port);
        clients = List.copyOf(clients);
        unreachable = List.copyOf(unreachable);
        near = List.copyOf(near);
    }
}
