package io.culvert.plan;

import io.culvert.network.Link;
import io.culvert.network.NetworkState;
import io.culvert.network.Ownership;
import io.culvert.network.Route;
import io.culvert.network.Rule;
import io.culvert.network.Rule.Action;
import io.culvert.network.Rule.Mark;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The tunnels without a mesh that are up, derived from Culvert's state in the kernel: no file records which tunnel a rule belongs
 * to. Each tunnel has a slot of rule preferences. A slot belongs to the tunnel that its kill switch names, or to the one whose
 * routes its rules look up. A slot without an owner is left over from a tunnel whose link was deleted, and blocks nothing.
 *
 * @param present Culvert's current network state
 */
public record Tunnels(NetworkState present) {

    /** Returns the tunnel that has a kill switch. Its link may be gone; the kill switch is active all the same. */
    public Optional<String> killSwitch() {
        return IntStream.range(0, TunnelRouting.SLOTS)
                .mapToObj(slot -> killSwitch(rules(slot)))
                .flatMap(Optional::stream)
                .findFirst();
    }

    /** Returns whether there are rules of an exit node, which is running here or was killed. */
    public boolean besideChain() {
        return present.rules().stream().anyMatch(rule -> !TunnelRouting.inAnySlot(rule));
    }

    /**
     * Returns the names of the tunnels. A tunnel without rules is recognized by its link, like the one of an exit node that was
     * killed and lost its rules.
     *
     * @param ofChain names of an exit node's links, which are excluded
     */
    public Set<String> names(Set<String> ofChain) {
        Stream<String> ruled =
                IntStream.range(0, TunnelRouting.SLOTS).mapToObj(this::owner).flatMap(Optional::stream);
        Stream<String> others = present.links().stream()
                .filter(link -> !besideChain() && link.alias().equals(Ownership.ALIAS))
                .map(Link::name)
                .filter(name -> !ofChain.contains(name));
        return Stream.concat(ruled, others).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Returns whether any state of a tunnel is present. */
    public boolean has(String link) {
        return !without(link).equals(present);
    }

    /** Returns the network state without one tunnel. */
    public NetworkState without(String link) {
        Set<Integer> gone = new HashSet<>();
        for (int slot = 0; slot < TunnelRouting.SLOTS; slot++) {
            if (owner(slot).isEmpty() || isOf(slot, link)) {
                gone.add(slot);
            }
        }
        Set<Long> tables = new HashSet<>();
        for (int slot = 0; slot < TunnelRouting.SLOTS; slot++) {
            if (!gone.contains(slot)) {
                rules(slot).stream().flatMapToLong(Tunnels::table).forEach(tables::add);
            }
        }
        present.routes().stream()
                .filter(route ->
                        route.link().filter(other -> !other.equals(link)).isPresent())
                .forEach(route -> tables.add(route.table()));
        return new NetworkState(
                present.links().stream()
                        .filter(other -> !other.name().equals(link))
                        .toList(),
                present.addresses().stream()
                        .filter(other -> !other.link().equals(link))
                        .toList(),
                present.routes().stream()
                        .filter(route -> route.link()
                                .map(other -> !other.equals(link))
                                .orElseGet(() -> tables.contains(route.table())))
                        .toList(),
                present.rules().stream()
                        .filter(rule -> gone.stream().noneMatch(slot -> TunnelRouting.inSlot(rule, slot)))
                        .toList());
    }

    /**
     * Returns the slot of a tunnel: its current one, or one before all others, as the newest rules of wg-quick come first.
     *
     * @throws IllegalStateException if there are too many tunnels
     */
    int slot(String link) {
        int next = 0;
        for (int slot = 0; slot < TunnelRouting.SLOTS; slot++) {
            if (isOf(slot, link)) {
                return slot;
            }
            if (owner(slot).isPresent()) {
                next = slot + 1;
            }
        }
        if (next == TunnelRouting.SLOTS) {
            throw new IllegalStateException("there are too many tunnels");
        }
        return next;
    }

    /** Returns the mark of a tunnel, and number of its table, if its file sets none: the current one, or a free one. */
    long mark(String link) {
        Set<Long> taken = new HashSet<>();
        for (int slot = 0; slot < TunnelRouting.SLOTS; slot++) {
            OptionalLong mark = mark(rules(slot));
            if (mark.isPresent()) {
                long own = mark.getAsLong();
                if (isOf(slot, link) && own >= Marks.DEFAULT.tunnel() && own < lastMark()) {
                    return own;
                }
                taken.add(own);
            }
        }
        present.routes().forEach(route -> taken.add(route.table()));
        long mark = Marks.DEFAULT.tunnel();
        while (taken.contains(mark)) {
            mark++;
        }
        return mark;
    }

    private static long lastMark() {
        return Marks.DEFAULT.tunnel() + TunnelRouting.SLOTS;
    }

    private boolean isOf(int slot, String link) {
        return owner(slot).filter(link::equals).isPresent();
    }

    private Optional<String> owner(int slot) {
        List<Rule> rules = rules(slot);
        return killSwitch(rules)
                .or(() -> rules.stream()
                        .flatMapToLong(Tunnels::table)
                        .boxed()
                        .flatMap(table -> linksIn(table).stream())
                        .findFirst());
    }

    private static LongStream table(Rule rule) {
        return rule.action() instanceof Action.Lookup lookup && lookup.table() != Route.MAIN
                ? LongStream.of(lookup.table())
                : LongStream.empty();
    }

    private Collection<String> linksIn(long table) {
        return present.routes().stream()
                .filter(route -> route.table() == table)
                .flatMap(route -> route.link().stream())
                .toList();
    }

    private List<Rule> rules(int slot) {
        return present.rules().stream()
                .filter(rule -> TunnelRouting.inSlot(rule, slot))
                .toList();
    }

    private static Optional<String> killSwitch(List<Rule> rules) {
        return rules.stream()
                .filter(rule -> rule.action() instanceof Action.Unreachable)
                .flatMap(rule -> rule.selector().inputLink().stream())
                .findFirst();
    }

    private static OptionalLong mark(List<Rule> rules) {
        return rules.stream()
                .flatMap(rule -> rule.selector().mark().stream())
                .mapToLong(Mark::value)
                .findFirst();
    }
}
