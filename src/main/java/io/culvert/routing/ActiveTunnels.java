// SPDX-License-Identifier: Apache-2.0
package io.culvert.routing;

import io.culvert.net.Marks;
import io.culvert.rtnl.LinkSpec;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.Ownership;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Mark;
import io.culvert.rtnl.Route;
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
 * to. Each tunnel has a slot of rule preferences. A slot belongs to the tunnel that its kill switch names, to the one whose
 * routes its rules look up, or to the one whose blocked IPv6 its rules look up. A slot without an owner is left over from a tunnel whose link was deleted, and blocks nothing.
 *
 * @param current Culvert's current network state
 */
public record ActiveTunnels(NetworkState current) {

    /** Returns the tunnel that has a kill switch. Its link may be gone; the kill switch is active all the same. */
    public Optional<String> tunnelWithKillSwitch() {
        return IntStream.range(0, TunnelRouting.SLOTS)
                .mapToObj(slot -> killSwitchOwner(rules(slot)))
                .flatMap(Optional::stream)
                .findFirst();
    }

    /** Returns whether there are rules of an exit node, which is running here or was killed. */
    public boolean hasExitNodeRules() {
        return current.rules().stream().anyMatch(rule -> !TunnelRouting.inAnySlot(rule));
    }

    /**
     * Returns the names of the tunnels. A tunnel without rules is recognized by its link, like the one of an exit node that was
     * killed and lost its rules.
     *
     * @param exitNodeLinks names of an exit node's links, which are excluded
     */
    public Set<String> names(Set<String> exitNodeLinks) {
        Stream<String> withRules =
                IntStream.range(0, TunnelRouting.SLOTS).mapToObj(this::owner).flatMap(Optional::stream);
        Stream<String> others = current.links().stream()
                .filter(link -> !hasExitNodeRules() && link.alias().equals(Ownership.ALIAS))
                .map(LinkSpec::name)
                .filter(name -> !exitNodeLinks.contains(name));
        return Stream.concat(withRules, others).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Returns whether any state of a tunnel is present. */
    public boolean has(String link) {
        return !without(link).equals(current);
    }

    /** Returns the network state without one tunnel. */
    public NetworkState without(String link) {
        Set<Integer> removedSlots = new HashSet<>();
        for (int slot = 0; slot < TunnelRouting.SLOTS; slot++) {
            if (owner(slot).isEmpty() || isOwnedBy(slot, link)) {
                removedSlots.add(slot);
            }
        }
        Set<Long> tables = new HashSet<>();
        for (int slot = 0; slot < TunnelRouting.SLOTS; slot++) {
            if (!removedSlots.contains(slot)) {
                rules(slot).stream().flatMapToLong(ActiveTunnels::table).forEach(tables::add);
            }
        }
        current.routes().stream()
                .filter(route ->
                        route.link().filter(other -> !other.equals(link)).isPresent())
                .forEach(route -> tables.add(route.table()));
        return new NetworkState(
                current.links().stream()
                        .filter(other -> !other.name().equals(link))
                        .toList(),
                current.addresses().stream()
                        .filter(other -> !other.link().equals(link))
                        .toList(),
                current.routes().stream()
                        .filter(route -> route.link()
                                .map(other -> !other.equals(link))
                                .orElseGet(() -> tables.contains(route.table())))
                        .toList(),
                current.rules().stream()
                        .filter(rule -> removedSlots.stream().noneMatch(slot -> TunnelRouting.inSlot(rule, slot)))
                        .toList());
    }

    /**
     * Returns the slot of a tunnel: its current one, or one before all others, as the newest rules of wg-quick come first.
     *
     * @throws IllegalStateException if there are too many tunnels
     */
    public int slot(String link) {
        int next = 0;
        for (int slot = 0; slot < TunnelRouting.SLOTS; slot++) {
            if (isOwnedBy(slot, link)) {
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
    public long mark(String link) {
        Set<Long> usedMarks = new HashSet<>();
        for (int slot = 0; slot < TunnelRouting.SLOTS; slot++) {
            OptionalLong mark = mark(rules(slot));
            if (mark.isPresent()) {
                long ownMark = mark.getAsLong();
                if (isOwnedBy(slot, link) && ownMark >= Marks.DEFAULT.tunnel() && ownMark < lastMark()) {
                    return ownMark;
                }
                usedMarks.add(ownMark);
            }
        }
        current.routes().forEach(route -> usedMarks.add(route.table()));
        long mark = Marks.DEFAULT.tunnel();
        while (usedMarks.contains(mark)) {
            mark++;
        }
        return mark;
    }

    private static long lastMark() {
        return Marks.DEFAULT.tunnel() + TunnelRouting.SLOTS;
    }

    private boolean isOwnedBy(int slot, String link) {
        return owner(slot).filter(link::equals).isPresent();
    }

    private Optional<String> owner(int slot) {
        List<PolicyRule> rules = rules(slot);
        return killSwitchOwner(rules)
                .or(() -> rules.stream()
                        .flatMapToLong(ActiveTunnels::table)
                        .boxed()
                        .flatMap(table -> linksIn(table).stream())
                        .findFirst())
                .or(() -> blockedFamilyOwner(rules));
    }

    /** Returns the tunnel that these rules name and whose link exists: one that carries only the other family. */
    private Optional<String> blockedFamilyOwner(List<PolicyRule> rules) {
        return rules.stream()
                .flatMap(rule -> rule.selector().inputLink().stream())
                .filter(name ->
                        current.links().stream().anyMatch(link -> link.name().equals(name)))
                .findFirst();
    }

    private static LongStream table(PolicyRule rule) {
        return rule.action() instanceof Action.Lookup lookup && lookup.table() != Route.MAIN
                ? LongStream.of(lookup.table())
                : LongStream.empty();
    }

    private Collection<String> linksIn(long table) {
        return current.routes().stream()
                .filter(route -> route.table() == table)
                .flatMap(route -> route.link().stream())
                .toList();
    }

    private List<PolicyRule> rules(int slot) {
        return current.rules().stream()
                .filter(rule -> TunnelRouting.inSlot(rule, slot))
                .toList();
    }

    private static Optional<String> killSwitchOwner(List<PolicyRule> rules) {
        return rules.stream()
                .filter(rule -> rule.action() instanceof Action.Unreachable)
                .flatMap(rule -> rule.selector().inputLink().stream())
                .findFirst();
    }

    private static OptionalLong mark(List<PolicyRule> rules) {
        return rules.stream()
                .flatMap(rule -> rule.selector().mark().stream())
                .mapToLong(Mark::value)
                .findFirst();
    }
}
