package io.culvert.node;

import io.culvert.ip.Prefix;
import io.culvert.run.Journal;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Logs, once for each change, which connected networks are reached directly although a peer has a route to them. */
final class DirectNetworks {

    private final Journal journal;
    private Set<Prefix> told = Set.of();

    DirectNetworks(Journal journal) {
        this.journal = journal;
    }

    void tell(List<Prefix> now) {
        now.stream()
                .filter(network -> !told.contains(network))
                .forEach(network -> journal.info("network: " + network
                        + " is connected to this machine, so it bypasses the mesh (although a peer has a route to"
                        + " it)"));
        told.stream()
                .filter(network -> !now.contains(network))
                .forEach(network -> journal.info("network: " + network
                        + " is no longer connected to this machine, so it is reached through the mesh"));
        told = new LinkedHashSet<>(now);
    }
}
