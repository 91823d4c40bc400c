// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Family;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Every change of one rule, chain policy or element of a set: removed, widened, or in another order. */
public final class TableMutations {

    private static final Set<MatchField.Property> PORTS = Set.of(
            MatchField.Property.SOURCE_PORT,
            MatchField.Property.DESTINATION_PORT,
            MatchField.Property.TCP_DESTINATION_PORT,
            MatchField.Property.UDP_SOURCE_PORT,
            MatchField.Property.UDP_DESTINATION_PORT);

    private final Table table;
    private final List<TableMutant> mutants = new ArrayList<>();

    private TableMutations(Table table) {
        this.table = table;
    }

    /** Returns the table without each rule, element and dropping policy. */
    public static List<TableMutant> removals(Table table) {
        TableMutations mutations = new TableMutations(table);
        for (Chain chain : table.chains()) {
            mutations.policy(chain);
            for (NftRule rule : chain.rules()) {
                List<NftRule> rules = new ArrayList<>(chain.rules());
                rules.remove(rule);
                mutations.add("", chain, rule, families(rule), rules);
                mutations.forEachMatch(rule, chain, mutations::removals);
            }
        }
        for (NamedSet set : table.sets()) {
            for (NftValue element : set.elements()) {
                mutations.add(set, "element " + NftText.value(element), without(set.elements(), element));
            }
        }
        return mutations.mutants;
    }

    /** Returns the table without each condition of each rule, and with each network, port and protocol made wider. */
    public static List<TableMutant> widenings(Table table) {
        TableMutations mutations = new TableMutations(table);
        for (Chain chain : table.chains()) {
            for (NftRule rule : chain.rules()) {
                mutations.forEachMatch(rule, chain, mutations::widenings);
            }
        }
        table.sets().forEach(mutations::widenings);
        return mutations.mutants;
    }

    /** Returns the table with each two rules that follow each other in the other order. */
    public static List<TableMutant> reorderings(Table table) {
        TableMutations mutations = new TableMutations(table);
        for (Chain chain : table.chains()) {
            for (int i = 0; i + 1 < chain.rules().size(); i++) {
                List<NftRule> rules = new ArrayList<>(chain.rules());
                NftRule first = rules.remove(i);
                NftRule second = rules.get(i);
                rules.add(i + 1, first);
                Set<Family> both = families(first);
                both.retainAll(families(second));
                // Rules of different families never decide about the same packet; that is to be shown, too.
                mutations.add(
                        "after \"" + second.comment() + "\": ",
                        chain,
                        first,
                        both.isEmpty() ? Set.of(Family.values()) : both,
                        rules);
            }
        }
        return mutations.mutants;
    }

    private void policy(Chain chain) {
        chain.base()
                .filter(base -> base.policy() == Chain.Policy.DROP)
                .ifPresent(base -> mutants.add(new TableMutant(
                        "policy of chain " + chain.name(),
                        Optional.empty(),
                        with(
                                chain,
                                new Chain(
                                        chain.name(),
                                        Optional.of(new Chain.Base(
                                                base.type(), base.hook(), base.priority(), Chain.Policy.ACCEPT)),
                                        chain.rules())))));
    }

    /** A change of one condition of a rule. */
    private interface MatchChange {
        void of(Statement.Match match, Replacement replacement);
    }

    /** Adds a mutant that has another statement, or none, in the place of a match. */
    private interface Replacement {
        void by(String what, Optional<Statement> statement);
    }

    private void forEachMatch(NftRule rule, Chain chain, MatchChange change) {
        for (int i = 0; i < rule.statements().size(); i++) {
            int position = i;
            if (rule.statements().get(i) instanceof Statement.Match match) {
                change.of(match, (what, statement) -> {
                    List<Statement> statements = new ArrayList<>(rule.statements());
                    statements.remove(position);
                    statement.ifPresent(it -> statements.add(position, it));
                    NftRule changed = new NftRule(rule.comment(), statements);
                    List<NftRule> rules = new ArrayList<>(chain.rules());
                    rules.set(rules.indexOf(rule), changed);
                    Set<Family> either = families(rule);
                    either.addAll(families(changed));
                    add(what + " of ", chain, rule, either, rules);
                });
            }
        }
    }

    private void removals(Statement.Match match, Replacement replacement) {
        if (match.value() instanceof NftValue.AnyOf(List<NftValue> values)) {
            for (NftValue value : values) {
                replacement.by(
                        "element " + NftText.value(value),
                        Optional.of(new Statement.Match(
                                match.field(), match.equal(), NftValue.anyOf(without(values, value)))));
            }
        }
    }

    private void widenings(Statement.Match match, Replacement replacement) {
        replacement.by("condition '" + NftText.statement(match) + "'", Optional.empty());
        List<NftValue> values =
                match.value() instanceof NftValue.AnyOf(List<NftValue> several) ? several : List.of(match.value());
        for (NftValue value : values) {
            List<NftValue> wider =
                    wider(value, match.field() instanceof MatchField.Property key && PORTS.contains(key));
            if (!wider.isEmpty()) {
                List<NftValue> changed = new ArrayList<>(wider);
                without(values, value).stream()
                        .filter(other -> wider.stream().noneMatch(it -> overlaps(it, other)))
                        .forEach(changed::add);
                replacement.by(
                        "'" + NftText.statement(match) + "', " + NftText.value(value) + " as "
                                + NftText.value(NftValue.anyOf(wider)) + ",",
                        Optional.of(new Statement.Match(match.field(), match.equal(), NftValue.anyOf(changed))));
            }
        }
    }

    /** Returns an address as a network twice as large, a port and the next one; nothing for other values. */
    private static List<NftValue> wider(NftValue value, boolean isPort) {
        if (value instanceof NftValue.Address(Prefix prefix) && prefix.length() > 1) {
            return List.of(new NftValue.Address(shorter(prefix)));
        }
        return isPort && value instanceof NftValue.Decimal(long port)
                ? List.of(value, new NftValue.Decimal(next(port)))
                : List.of();
    }

    private static long next(long port) {
        return port < Port.MAX ? port + 1 : port - 1;
    }

    private static Prefix shorter(Prefix prefix) {
        return new Prefix(prefix.address(), prefix.length() - 1).network();
    }

    private static boolean overlaps(NftValue one, NftValue other) {
        return one.equals(other)
                || (one instanceof NftValue.Address(Prefix a)
                        && other instanceof NftValue.Address(Prefix b)
                        && a.overlaps(b));
    }

    private void widenings(NamedSet set) {
        for (NftValue element : set.elements()) {
            if (element instanceof NftValue.Tuple(List<NftValue> parts)) {
                for (int i = 0; i < parts.size(); i++) {
                    List<NftValue> widened = new ArrayList<>(parts);
                    widened.set(i, other(parts.get(i), set.key().get(i)));
                    add(set, new NftValue.Tuple(widened));
                }
            } else if (set.interval() && element instanceof NftValue.Address(Prefix prefix) && prefix.length() > 1) {
                NftValue wider = new NftValue.Address(shorter(prefix));
                List<NftValue> elements = new ArrayList<>(List.of(wider));
                without(set.elements(), element).stream()
                        .filter(it -> !overlaps(wider, it))
                        .forEach(elements::add);
                add(set, "element " + NftText.value(element) + " as " + NftText.value(wider), elements);
            } else {
                add(set, other(element, set.key().getFirst()));
            }
        }
        if (set.interval() && set.key().size() == 1) {
            Family family = set.key().equals(List.of(NamedSet.Part.IPV4)) ? Family.IPV4 : Family.IPV6;
            add(
                    set,
                    "all addresses as elements",
                    Prefix.all(family).halves().stream()
                            .<NftValue>map(NftValue.Address::new)
                            .toList());
        }
    }

    /** Returns a value next to this one: the other half of the network that is twice as large, the next port, the other protocol. */
    private static NftValue other(NftValue value, NamedSet.Part part) {
        return switch (value) {
            case NftValue.Address(Prefix prefix) ->
                new NftValue.Address(shorter(prefix).halves().stream()
                        .filter(half -> !half.equals(prefix))
                        .findFirst()
                        .orElseThrow());
            case NftValue.Decimal(long port) when part == NamedSet.Part.PORT -> new NftValue.Decimal(next(port));
            case NftValue.Word word
            when part == NamedSet.Part.TRANSPORT ->
                NftValue.Word.of(word.number() == Transport.TCP.number() ? Transport.UDP : Transport.TCP);
            default -> throw new IllegalArgumentException(value + " as " + part);
        };
    }

    private void add(NamedSet set, NftValue more) {
        if (!set.elements().contains(more)) {
            List<NftValue> elements = new ArrayList<>(set.elements());
            elements.add(more);
            add(set, "another element " + NftText.value(more), elements);
        }
    }

    private void add(NamedSet set, String what, List<NftValue> elements) {
        Optional<Family> family = set.key().contains(NamedSet.Part.IPV4)
                ? Optional.of(Family.IPV4)
                : set.key().contains(NamedSet.Part.IPV6) ? Optional.of(Family.IPV6) : Optional.empty();
        List<NamedSet> sets = table.sets().stream()
                .map(other -> other.equals(set) ? set.withElements(elements) : other)
                .toList();
        mutants.add(
                new TableMutant(what + " of set " + set.name(), family, new Table(table.id(), sets, table.chains())));
    }

    private void add(String what, Chain chain, NftRule rule, Set<Family> families, List<NftRule> rules) {
        mutants.add(new TableMutant(
                what + "\"" + rule.comment() + "\", chain " + chain.name(),
                families.size() == 1 ? families.stream().findFirst() : Optional.empty(),
                with(chain, new Chain(chain.name(), chain.base(), rules))));
    }

    private Table with(Chain chain, Chain changed) {
        return new Table(
                table.id(),
                table.sets(),
                table.chains().stream()
                        .map(other -> other.equals(chain) ? changed : other)
                        .toList());
    }

    /** Returns the families of the packets that a rule may match. */
    private static Set<Family> families(NftRule rule) {
        Set<Family> families = new LinkedHashSet<>(List.of(Family.values()));
        for (Statement statement : rule.statements()) {
            if (statement instanceof Statement.Match match) {
                properties(match.field()).map(MatchField.Property::group).forEach(group -> {
                    if (group.equals("ip") || group.equals("icmp")) {
                        families.remove(Family.IPV6);
                    } else if (group.equals("ip6") || group.equals("icmpv6")) {
                        families.remove(Family.IPV4);
                    }
                });
            }
        }
        return families;
    }

    private static Stream<MatchField.Property> properties(MatchField field) {
        return switch (field) {
            case MatchField.Property property -> Stream.of(property);
            case MatchField.Masked(MatchField.Property property, long _) -> Stream.of(property);
            case MatchField.Joined(List<MatchField.Property> properties) -> properties.stream();
        };
    }

    private static List<NftValue> without(List<NftValue> values, NftValue value) {
        return values.stream().filter(other -> !other.equals(value)).toList();
    }
}
