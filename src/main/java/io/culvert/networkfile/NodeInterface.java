// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The WireGuard interface of a node in one subnet.
 *
 * @param device its name, 1 to 15 characters
 * @param addresses of the interface, with the subnet's prefix length
 * @param listenPort 1 to 65535; empty for a random one
 * @param privateKeyFile absolute; may be absent for external peers only
 * @param links sorted by the peers' names
 */
public record NodeInterface(
        String subnet,
        String device,
        List<Prefix> addresses,
        OptionalInt listenPort,
        Optional<Path> privateKeyFile,
        List<MeshLink> links) {

    public NodeInterface {
        addresses = List.copyOf(addresses);
        links = List.copyOf(links);
    }
}
