package io.culvert.confinement;

import io.culvert.plan.ConfinementPlan;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The network of a daemon in a user namespace: loopback, and a relay for each server. */
record Relays(Outside outside, List<InetSocketAddress> addresses) {

    private static final Path RUN = Path.of("/run");

    Relays {
        addresses = List.copyOf(addresses);
    }

    /** Starts the relays. The calling process is root in its own user, network and mount namespaces. */
    static Relays open(Surroundings around, Outside outside) throws IOException {
        // Userspace WireGuard has its sockets in /run/wireguard, and namespaces are mounted in /run/netns, where only
        // root can write.
        Set<String> own = Set.of("wireguard", "netns");
        PrivateDirectory.over(RUN, Map.of(), own);
        for (String directory : own) {
            Files.createDirectory(RUN.resolve(directory));
        }
        try (Kernel kernel = Kernel.open(around)) {
            kernel.links().raise("lo");
        }
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (Outside.Way way : outside.ways()) {
            way.socket().keep();
            addresses.add(Relay.open(way, outside.mtu()).address());
        }
        return new Relays(outside, addresses);
    }

    ConfinementPlan around(ConfinementPlan plan) {
        return plan.with(outside.relayed(plan.device(), addresses));
    }
}
