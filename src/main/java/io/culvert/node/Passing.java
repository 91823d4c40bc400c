package io.culvert.node;

import io.culvert.ip.Family;
import io.culvert.linux.Sysctl;
import io.culvert.network.Forwarding;
import io.culvert.network.Machine;
import io.culvert.network.Uplink;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.plan.Passage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Applies the forwarding policy of a node to the kernel: first its nftables table, then the sysctls. The previous
 * values of the sysctls are stored in the table itself, so that they can be restored even after a SIGKILL.
 */
final class Passing {

    private static final String WAS = " was ";

    private final Nftables nftables;
    private final Sysctl sysctl;
    private final Table.Id id;

    /** The previous values, kept in memory too, as another program may flush all tables. */
    private final Set<String> remembered = new TreeSet<>();

    Passing(Nftables nftables, Sysctl sysctl, String node) {
        this.nftables = nftables;
        this.sysctl = sysctl;
        this.id = Passage.id(node);
    }

    /**
     * Applies the policy. Idempotent.
     *
     * @return the changes
     */
    List<String> allow(Optional<Passage> passage, Set<Family> families, Machine machine) {
        if (passage.isEmpty()) {
            return close();
        }
        List<String> done = new ArrayList<>();
        Set<String> notes = notes(families, machine);
        remembered.addAll(notes);
        Table table = passage.get().remembering(notes);
        if (!nftables.matches(List.of(table))) {
            nftables.apply(List.of(table));
            done.add("nft table " + id);
        }
        Set<String> uplinks =
                machine.uplinks().values().stream().map(Uplink::link).collect(Collectors.toSet());
        new Forwarding(sysctl).enable(families, uplinks);
        return done;
    }

    /** Returns the differences between the kernel and the policy. */
    List<String> differences(Optional<Passage> passage, Set<Family> families, Machine machine) {
        if (passage.isEmpty()) {
            return exists() ? List.of("unexpected table " + id) : List.of();
        }
        return nftables.differences(List.of(passage.get().remembering(notes(families, machine))));
    }

    /** Removes the table and restores the sysctls. */
    List<String> close() {
        recall();
        if (!exists() && remembered.isEmpty()) {
            return List.of();
        }
        remembered.forEach(note -> {
            String[] words = note.split(WAS, 2);
            sysctl.write(words[0], words[1]);
        });
        remembered.clear();
        nftables.remove(List.of(id));
        return List.of("nft delete table " + id);
    }

    private boolean exists() {
        return nftables.tables().contains(id);
    }

    /** Returns the known previous values and those of the sysctls that are about to be changed. */
    private Set<String> notes(Set<Family> families, Machine machine) {
        recall();
        Set<String> notes = new TreeSet<>(remembered);
        Set<String> known = notes.stream().map(note -> note.split(WAS, 2)[0]).collect(Collectors.toSet());
        for (Family family : families) {
            note(Forwarding.sysctl(family).replace('.', '/'), "0", known, notes);
        }
        if (families.contains(Family.IPV6) && !machine.forwarding().contains(Family.IPV6)) {
            machine.uplinks()
                    .values()
                    .forEach(uplink -> note("net/ipv6/conf/" + uplink.link() + "/accept_ra", "1", known, notes));
        }
        return notes;
    }

    private void note(String name, String changed, Set<String> known, Set<String> notes) {
        if (!known.contains(name)) {
            sysctl.read(name).filter(changed::equals).ifPresent(value -> notes.add(name + WAS + value));
        }
    }

    private void recall() {
        if (exists()) {
            nftables.counters(id).keySet().stream()
                    .filter(comment -> comment.contains(WAS))
                    .forEach(remembered::add);
        }
    }
}
