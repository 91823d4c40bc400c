// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.anyOfPrefixes;
import static io.culvert.firewall.Matches.fromAddress;
import static io.culvert.firewall.Matches.fromLink;
import static io.culvert.firewall.Matches.isReply;
import static io.culvert.firewall.Matches.toAddress;
import static io.culvert.firewall.Matches.toLink;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.networkfile.Forward;
import io.culvert.networkfile.Forward.Direction;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.MatchField.Property;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Masquerade;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The forwarding policy of a mesh node: it forwards what its network file allows and replies to that, and nothing else from or to
 * a mesh interface. Other packets that the machine forwards are not restricted.
 *
 * @param table its nftables table, without {@link #withSavedValues}
 * @param forwardedFamilies address families that are forwarded
 */
public record ForwardingPolicy(Table table, Set<Family> forwardedFamilies) {

    private static final int SOURCE_NAT = 100;
    private static final int MANGLE = -150;

    /** A chain that is not attached to a hook: its rules only store data in their comments. */
    private static final String SAVED_STATE_CHAIN = "saved_sysctls";

    public ForwardingPolicy {
        forwardedFamilies = Set.copyOf(forwardedFamilies);
    }

    /** Returns the name of a node's table. */
    public static Table.Id id(String node) {
        String name = "culvert_mesh_" + node.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_-]", "_");
        return new Table.Id(Table.Family.INET, name.substring(0, Math.min(name.length(), 63)));
    }

    /**
     * Returns the forwarding policy of a node.
     *
     * @param node its name
     * @param forwards what it forwards for others
     * @param meshLinks its mesh interfaces
     * @return empty if nothing is forwarded: then the machine's own forwarding settings, usually off, stay as they are
     */
    public static Optional<ForwardingPolicy> of(String node, List<Forward> forwards, Set<String> meshLinks) {
        if (forwards.isEmpty()) {
            return Optional.empty();
        }
        Set<String> links = new TreeSet<>(meshLinks);
        List<NamedSet> sets = new ArrayList<>();
        Set<Family> forwardedFamilies = EnumSet.noneOf(Family.class);
        List<NftRule> forward = new ArrayList<>();
        List<NftRule> masquerade = new ArrayList<>();
        forward.add(NftRule.of("replies from the mesh", fromLink(links), isReply(), Verdict.ACCEPT));
        forward.add(NftRule.of("replies into the mesh", toLink(links), isReply(), Verdict.ACCEPT));
        int number = 0;
        for (Forward entry : forwards) {
            number++;
            for (Family family : Family.values()) {
                List<Prefix> sources = inFamily(family, entry.sources());
                List<Prefix> destinations = inFamily(family, entry.destinations());
                if (sources.isEmpty() || destinations.isEmpty()) {
                    continue;
                }
                forwardedFamilies.add(family);
                String suffix = number + "_" + family.text().toLowerCase(Locale.ROOT);
                String name = entry.direction().name().toLowerCase(Locale.ROOT) + " " + number + ", " + family.text();
                List<Statement> addressMatches = addressMatches(entry, family, suffix, sources, destinations, sets);
                forward.add(new NftRule(name, acceptStatements(entry, addressMatches, links)));
                if (entry.masquerade()) {
                    masquerade.add(new NftRule("masquerade, " + name, masqueradeStatements(addressMatches, links)));
                }
            }
        }
        forward.add(NftRule.of("nothing else from the mesh", fromLink(links), new Counter(), new Reject()));
        forward.add(NftRule.of("nothing else into the mesh", toLink(links), new Counter(), new Reject()));
        List<Chain> chains = new ArrayList<>();
        chains.add(Chain.filter(
                "mss_clamping",
                Hook.FORWARD,
                MANGLE,
                Policy.ACCEPT,
                List.of(
                        NftRule.of("clamp MSS into the mesh", toLink(links), new Statement.ClampMss()),
                        NftRule.of("clamp MSS from the mesh", fromLink(links), new Statement.ClampMss()))));
        chains.add(Chain.filter("forward", Hook.FORWARD, KillSwitchRuleset.PRIORITY, Policy.ACCEPT, forward));
        if (!masquerade.isEmpty()) {
            chains.add(
                    Chain.base("source_nat", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, masquerade));
        }
        return Optional.of(new ForwardingPolicy(new Table(id(node), sets, chains), forwardedFamilies));
    }

    /**
     * Returns the table with the saved state that has to be restored when it is deleted, as comments of rules: so it survives a
     * SIGKILL.
     *
     * @param savedValues up to 127 bytes each
     */
    public Table withSavedValues(Set<String> savedValues) {
        List<Chain> chains = new ArrayList<>(table.chains());
        chains.add(Chain.regular(
                SAVED_STATE_CHAIN,
                savedValues.stream()
                        .sorted()
                        .map(value -> NftRule.of(value, new Counter(), Verdict.RETURN))
                        .toList()));
        return new Table(table.id(), table.sets(), chains);
    }

    /**
     * Returns the address families that the kernel has to forward.
     *
     * @param carried the families that the mesh interfaces carry; others need not be enabled
     */
    public Set<Family> families(Set<Family> carried) {
        return forwardedFamilies.stream().filter(carried::contains).collect(Collectors.toUnmodifiableSet());
    }

    private static List<Statement> acceptStatements(Forward entry, List<Statement> addressMatches, Set<String> links) {
        List<Statement> statements = new ArrayList<>();
        statements.add(entry.direction() == Direction.OUTWARD ? toLink(entry.device()) : fromLink(entry.device()));
        if (entry.direction() == Direction.EXIT) {
            statements.add(Statement.isNot(Property.OUTPUT_LINK, anyOfLinks(links)));
        }
        statements.addAll(addressMatches);
        statements.add(Verdict.ACCEPT);
        return statements;
    }

    private static List<Statement> masqueradeStatements(List<Statement> addressMatches, Set<String> links) {
        List<Statement> statements = new ArrayList<>();
        statements.add(Statement.isNot(Property.OUTPUT_LINK, anyOfLinks(links)));
        statements.addAll(addressMatches);
        statements.add(new Masquerade());
        return statements;
    }

    private static List<Statement> addressMatches(
            Forward entry,
            Family family,
            String suffix,
            List<Prefix> sources,
            List<Prefix> destinations,
            List<NamedSet> sets) {
        List<Statement> statements = new ArrayList<>();
        statements.add(
                sources.stream().anyMatch(Prefix::isDefault)
                        ? Matches.isFamily(family)
                        : fromAddress(family, addNamedSet("from_" + suffix, family, sources, sets)));
        if (destinations.stream().noneMatch(Prefix::isDefault)) {
            statements.add(toAddress(family, addNamedSet("to_" + suffix, family, destinations, sets)));
        } else if (entry.direction() == Direction.EXIT) {
            // An exit leads to the internet; what the mesh may reach of private networks is listed in routes.
            statements.add(Statement.isNot(
                    Matches.destination(family), anyOfPrefixes(inFamily(family, SpecialRange.PRIVATE_NETWORKS))));
        }
        return statements;
    }

    /** Adds a named set. The kernel would merge adjacent prefixes in an anonymous one. */
    private static NftValue addNamedSet(String name, Family family, List<Prefix> prefixes, List<NamedSet> sets) {
        List<Prefix> disjoint = prefixes.stream()
                .filter(prefix -> prefixes.stream().noneMatch(other -> !other.equals(prefix) && other.contains(prefix)))
                .toList();
        sets.add(new NamedSet(
                name,
                List.of(family == Family.IPV4 ? NamedSet.Part.IPV4 : NamedSet.Part.IPV6),
                disjoint.stream().anyMatch(prefix -> !prefix.isHost()),
                disjoint.stream().<NftValue>map(NftValue.Address::new).toList()));
        return new NftValue.In(name);
    }

    private static NftValue anyOfLinks(Set<String> links) {
        return NftValue.anyOf(links.stream().map(NftValue.Link::new).toList());
    }

    private static List<Prefix> inFamily(Family family, List<Prefix> prefixes) {
        return prefixes.stream()
                .filter(prefix -> prefix.family() == family)
                .map(Prefix::network)
                .distinct()
                .toList();
    }
}
