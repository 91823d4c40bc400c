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
 * What a node passes on for others, in the kernel: its table first, then the switches. What the switches were before stands in
 * the table itself, so that whoever takes the node down knows it, even after a SIGKILL.
 */
final class Passing {

    private static final String WAS = " was ";

    private final Nftables nftables;
    private final Sysctl sysctl;
    private final Table.Id id;

    /** Also for who keeps a node up, as somebody may flush all tables. */
    private final Set<String> remembered = new TreeSet<>();

    Passing(Nftables nftables, Sysctl sysctl, String node) {
        this.nftables = nftables;
        this.sysctl = sysctl;
        this.id = Passage.id(node);
    }

    /**
     * Makes it so; safe to repeat.
     *
     * @return what was changed
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

    /** How the kernel differs from it, in sentences. */
    List<String> differences(Optional<Passage> passage, Set<Family> families, Machine machine) {
        if (passage.isEmpty()) {
            return exists() ? List.of("the table " + id + " is there") : List.of();
        }
        return nftables.differences(List.of(passage.get().remembering(notes(families, machine))));
    }

    /** Takes it away, and puts the switches back. */
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

    /** What is known to have been before, and what is to be changed now. */
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
