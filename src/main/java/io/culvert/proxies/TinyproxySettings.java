// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.settings.Login;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * The settings of the generated tinyproxy configuration.
 *
 * @param port 1 to 65535
 * @param tunnelAddresses the addresses from which all sessions leave, at least one; in a family without one, none leaves
 * @param clients the networks of permitted clients
 * @param login empty if clients need no login
 */
public record TinyproxySettings(
        int port, List<InetAddress> tunnelAddresses, List<Prefix> clients, Optional<Login> login) {

    public TinyproxySettings {
        Port.requireNumber(port);
        tunnelAddresses = List.copyOf(tunnelAddresses);
        clients = List.copyOf(clients);
        if (tunnelAddresses.isEmpty()) {
            throw new IllegalArgumentException("sessions would leave from any address");
        }
    }
}
