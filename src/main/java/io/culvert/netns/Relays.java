// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.plan.NamespacePlan;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The network of a daemon in a user namespace: loopback, and a relay for each server. */
record Relays(OuterSockets outerSockets, List<InetSocketAddress> addresses) {

    private static final Path RUN_DIRECTORY = Path.of("/run");

    Relays {
        addresses = List.copyOf(addresses);
    }

    /** Starts the relays. The calling process is root in its own user, network and mount namespaces. */
    static Relays open(Environment environment, OuterSockets outerSockets) throws IOException {
        // Userspace WireGuard has its sockets in /run/wireguard, and namespaces are mounted in /run/netns, where only
        // root can write.
        Set<String> rootDirectories = Set.of("wireguard", "netns");
        PrivateDirectory.mountOver(RUN_DIRECTORY, Map.of(), rootDirectories);
        for (String directory : rootDirectories) {
            Files.createDirectory(RUN_DIRECTORY.resolve(directory));
        }
        try (KernelConnections kernel = KernelConnections.open(environment)) {
            kernel.links().setUp("lo");
        }
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (OuterSockets.ServerSocket serverSocket : outerSockets.serverSockets()) {
            serverSocket.socket().setCloseOnExec();
            addresses.add(Relay.open(serverSocket, outerSockets.mtu()).address());
        }
        return new Relays(outerSockets, addresses);
    }

    NamespacePlan applyTo(NamespacePlan plan) {
        return plan.with(outerSockets.withRelays(plan.device(), addresses));
    }
}
