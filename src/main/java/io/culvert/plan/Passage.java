package io.culvert.plan;

import static io.culvert.plan.Match.cameBy;
import static io.culvert.plan.Match.isReply;
import static io.culvert.plan.Match.leavesBy;
import static io.culvert.plan.Match.oneOfPrefixes;
import static io.culvert.plan.Match.sentFrom;
import static io.culvert.plan.Match.sentTo;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.network.Machine;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.Field.Property;
import io.culvert.nft.NamedSet;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Masquerade;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import io.culvert.nft.Value;
import io.culvert.topology.Forward;
import io.culvert.topology.Forward.Direction;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The forwarding policy of a mesh node: it forwards what its network file allows and replies to that, and nothing else from or to
 * a mesh interface. Other packets that the machine forwards are not restricted.
 *
 * @param table its nftables table, without {@link #remembering}
 * @param carried address families that are forwarded
 */
public record Passage(Table table, Set<Family> carried) {

    private static final int SOURCE_NAT = 100;
    private static final int MANGLE = -150;

    /** A chain that is not attached to a hook: its rules only store data in their comments. */
    private static final String BEFORE = "saved_sysctls";

    /** Excluded from an exit to the internet: what the mesh may reach of them is listed in {@code routes}. */
    private static final List<Prefix> NOT_THE_INTERNET = Stream.of(
                    "10.0.0.0/8",
                    "100.64.0.0/10",
                    "169.254.0.0/16",
                    "172.16.0.0/12",
                    "192.168.0.0/16",
                    "fc00::/7",
                    "fe80::/10")
            .map(Prefix::parse)
            .toList();

    public Passage {
        carried = Set.copyOf(carried);
    }

    /** Returns the name of a node's table. */
    public static Table.Id id(String node) {
        String name = "culvert_mesh_" + node.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_-]", "_");
        return new Table.Id(Table.Family.INET, name.substring(0, Math.min(name.length(), 63)));
    }

    /**
     * Returns the forwarding policy of a node.
     *
     * @return empty if nothing is forwarded: then the machine's own forwarding settings, usually off, stay as they are
     */
    static Optional<Passage> of(NodeInputs inputs, Set<String> meshes) {
        if (inputs.forwards().isEmpty()) {
            return Optional.empty();
        }
        Set<String> links = new TreeSet<>(meshes);
        List<NamedSet> sets = new ArrayList<>();
        Set<Family> carried = EnumSet.noneOf(Family.class);
        List<Rule> forward = new ArrayList<>();
        List<Rule> translation = new ArrayList<>();
        forward.add(Rule.of("replies from the mesh", cameBy(links), isReply(), Verdict.ACCEPT));
        forward.add(Rule.of("replies into the mesh", leavesBy(links), isReply(), Verdict.ACCEPT));
        int number = 0;
        for (Forward one : inputs.forwards()) {
            number++;
            for (Family family : Family.values()) {
                List<Prefix> sources = of(family, one.sources());
                List<Prefix> destinations = of(family, one.destinations());
                if (sources.isEmpty() || destinations.isEmpty()) {
                    continue;
                }
                carried.add(family);
                String suffix = number + "_" + GuardRuleset.name(family).toLowerCase(Locale.ROOT);
                String name = one.direction().name().toLowerCase(Locale.ROOT) + " " + number + ", "
                        + GuardRuleset.name(family);
                List<Statement> between = between(one, family, suffix, sources, destinations, sets);
                forward.add(new Rule(name, accept(one, between, links)));
                if (one.masquerade()) {
                    translation.add(new Rule("masquerade, " + name, translate(between, links)));
                }
            }
        }
        forward.add(Rule.of("nothing else from the mesh", cameBy(links), new Counter(), new Reject()));
        forward.add(Rule.of("nothing else into the mesh", leavesBy(links), new Counter(), new Reject()));
        List<Chain> chains = new ArrayList<>();
        chains.add(Chain.base(
                "mss_clamping",
                Chain.Type.FILTER,
                Hook.FORWARD,
                MANGLE,
                Policy.ACCEPT,
                List.of(
                        Rule.of("clamp MSS into the mesh", leavesBy(links), new Statement.ClampMss()),
                        Rule.of("clamp MSS from the mesh", cameBy(links), new Statement.ClampMss()))));
        chains.add(
                Chain.base("forward", Chain.Type.FILTER, Hook.FORWARD, GuardRuleset.PRIORITY, Policy.ACCEPT, forward));
        if (!translation.isEmpty()) {
            chains.add(
                    Chain.base("source_nat", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, translation));
        }
        return Optional.of(new Passage(new Table(id(inputs.node()), sets, chains), carried));
    }

    /**
     * Returns the table with the saved state that has to be restored when it is deleted, as comments of rules: so it survives a
     * SIGKILL.
     *
     * @param notes up to 127 bytes each
     */
    public Table remembering(Set<String> notes) {
        List<Chain> chains = new ArrayList<>(table.chains());
        chains.add(Chain.regular(
                BEFORE,
                notes.stream()
                        .sorted()
                        .map(note -> Rule.of(note, new Counter(), Verdict.RETURN))
                        .toList()));
        return new Table(table.id(), table.sets(), chains);
    }

    Set<Family> families(Machine machine) {
        return machine.ipv6().anywhere() ? carried : Set.of(Family.IPV4);
    }

    private static List<Statement> accept(Forward one, List<Statement> between, Set<String> links) {
        List<Statement> statements = new ArrayList<>();
        statements.add(one.direction() == Direction.OUTWARD ? leavesBy(one.device()) : cameBy(one.device()));
        if (one.direction() == Direction.EXIT) {
            statements.add(Statement.isNot(Property.OUTPUT_LINK, anyLink(links)));
        }
        statements.addAll(between);
        statements.add(Verdict.ACCEPT);
        return statements;
    }

    private static List<Statement> translate(List<Statement> between, Set<String> links) {
        List<Statement> statements = new ArrayList<>();
        statements.add(Statement.isNot(Property.OUTPUT_LINK, anyLink(links)));
        statements.addAll(between);
        statements.add(new Masquerade());
        return statements;
    }

    private static List<Statement> between(
            Forward one,
            Family family,
            String suffix,
            List<Prefix> sources,
            List<Prefix> destinations,
            List<NamedSet> sets) {
        List<Statement> statements = new ArrayList<>();
        statements.add(
                sources.stream().anyMatch(Prefix::isDefault)
                        ? Match.of(family)
                        : sentFrom(family, in("from_" + suffix, family, sources, sets)));
        if (destinations.stream().noneMatch(Prefix::isDefault)) {
            statements.add(sentTo(family, in("to_" + suffix, family, destinations, sets)));
        } else if (one.direction() == Direction.EXIT) {
            statements.add(Statement.isNot(Match.destination(family), oneOfPrefixes(of(family, NOT_THE_INTERNET))));
        }
        return statements;
    }

    /** Adds a named set. The kernel would merge adjacent prefixes in an anonymous one. */
    private static Value in(String name, Family family, List<Prefix> prefixes, List<NamedSet> sets) {
        List<Prefix> apart = prefixes.stream()
                .filter(prefix -> prefixes.stream().noneMatch(other -> !other.equals(prefix) && other.contains(prefix)))
                .toList();
        sets.add(new NamedSet(
                name,
                List.of(family == Family.IPV4 ? NamedSet.Part.IPV4 : NamedSet.Part.IPV6),
                apart.stream().anyMatch(prefix -> !prefix.isHost()),
                apart.stream().<Value>map(Value.Address::new).toList()));
        return new Value.In(name);
    }

    private static Value anyLink(Set<String> links) {
        return Value.anyOf(links.stream().map(Value.Link::new).toList());
    }

    private static List<Prefix> of(Family family, List<Prefix> prefixes) {
        return prefixes.stream()
                .filter(prefix -> prefix.family() == family)
                .map(Prefix::network)
                .distinct()
                .toList();
    }
}
