// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.diagnostics.Log;
import io.culvert.net.Prefix;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Logs, once for each change, which connected networks are reached directly although a peer has a route to them. */
final class DirectNetworks {

    private final Log log;
    private Set<Prefix> logged = Set.of();

    DirectNetworks(Log log) {
        this.log = log;
    }

    void logChanges(List<Prefix> networks) {
        networks.stream()
                .filter(network -> !logged.contains(network))
                .forEach(network -> log.info("network: " + network
                        + " is connected to this machine, so it bypasses the mesh (although a peer has a route to"
                        + " it)"));
        logged.stream()
                .filter(network -> !networks.contains(network))
                .forEach(network -> log.info("network: " + network
                        + " is no longer connected to this machine, so it is reached through the mesh"));
        logged = new LinkedHashSet<>(networks);
    }
}
