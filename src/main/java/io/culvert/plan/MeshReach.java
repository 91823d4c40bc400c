package io.culvert.plan;

import static io.culvert.plan.Match.cameBy;
import static io.culvert.plan.Match.leavesBy;
import static io.culvert.plan.Match.sentTo;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.nft.NamedSet;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Value;
import io.culvert.plan.GuardInput.Mesh;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Builds the rules for destinations in the mesh. Packets to a mesh interface must be for the mesh's own addresses or routes of its
 * peers: otherwise an exit node that this node itself uses could replace the tunnel. And these destinations are reached through no
 * other link: otherwise the provider would get packets for the mesh as soon as its interface is gone.
 */
final class MeshReach {

    private final GuardInput input;

    MeshReach(GuardInput input) {
        this.input = input;
    }

    /** Returns a set for each interface and family, as a mesh may have thousands of peers. */
    List<NamedSet> sets() {
        List<NamedSet> sets = new ArrayList<>();
        for (int number = 0; number < input.meshes().size(); number++) {
            Mesh mesh = input.meshes().get(number);
            for (Family family : families(mesh)) {
                sets.add(new NamedSet(
                        name(number, family),
                        List.of(family == Family.IPV4 ? NamedSet.Part.IPV4 : NamedSet.Part.IPV6),
                        true,
                        Disjoint.of(of(mesh, family)).stream()
                                .<Value>map(Value.Address::new)
                                .toList()));
            }
        }
        return sets;
    }

    /**
     * Returns the rules for packets to a mesh interface.
     *
     * @param where suffix of the rules' comments, which must be unique in a table
     * @param refusal statement for all other packets to a mesh interface
     */
    List<Rule> byMesh(String where, Statement refusal) {
        if (input.meshes().isEmpty()) {
            return List.of();
        }
        List<Rule> rules = new ArrayList<>();
        forEach((mesh, family, set) -> rules.add(Rule.of(
                "to the mesh, " + GuardRuleset.name(family) + input.which(mesh) + where,
                leavesBy(mesh.link()),
                sentTo(family, set),
                Verdict.ACCEPT)));
        rules.add(Rule.of("nothing else to the mesh" + where, leavesBy(input.meshLinks()), new Counter(), refusal));
        return rules;
    }

    /** Returns the rules for packets from one peer to another through the same interface. */
    List<Rule> forwarded() {
        List<Rule> rules = new ArrayList<>();
        forEach((mesh, family, set) -> rules.add(Rule.of(
                "between peers of the mesh, " + GuardRuleset.name(family) + input.which(mesh),
                cameBy(mesh.link()),
                leavesBy(mesh.link()),
                sentTo(family, set),
                Verdict.ACCEPT)));
        return rules;
    }

    /** Returns the rules for packets to the mesh that would leave through the tunnel. */
    List<Rule> neverByTunnel(String where, Statement refusal) {
        return neverByTunnel(where, List.of(), refusal);
    }

    /** Returns the same rules for forwarded packets from the mesh. */
    List<Rule> neverForwardedByTunnel() {
        return input.meshes().isEmpty()
                ? List.of()
                : neverByTunnel(", forwarded", List.of(cameBy(input.meshLinks())), new Reject());
    }

    private List<Rule> neverByTunnel(String where, List<Statement> which, Statement refusal) {
        String tunnel = input.tunnel().link();
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<Prefix> exempt = input.tunnel().exempt().stream()
                    .filter(prefix -> prefix.family() == family)
                    .toList();
            if (!exempt.isEmpty() && !input.meshes().isEmpty()) {
                rules.add(rule(
                        "provider's addresses within the mesh's range, " + GuardRuleset.name(family) + where,
                        which,
                        leavesBy(tunnel),
                        sentTo(family, Match.oneOfPrefixes(Disjoint.of(exempt))),
                        Verdict.ACCEPT));
            }
        }
        forEach((mesh, family, set) -> rules.add(rule(
                "mesh destinations never enter the tunnel, " + GuardRuleset.name(family) + input.which(mesh) + where,
                which,
                leavesBy(tunnel),
                sentTo(family, set),
                new Counter(),
                refusal)));
        return rules;
    }

    private static Rule rule(String comment, List<Statement> first, Statement... then) {
        List<Statement> all = new ArrayList<>(first);
        all.addAll(List.of(then));
        return Rule.of(comment, all.toArray(Statement[]::new));
    }

    private interface Each {
        void take(Mesh mesh, Family family, Value set);
    }

    private void forEach(Each each) {
        for (int number = 0; number < input.meshes().size(); number++) {
            Mesh mesh = input.meshes().get(number);
            for (Family family : families(mesh)) {
                each.take(mesh, family, new Value.In(name(number, family)));
            }
        }
    }

    private static List<Family> families(Mesh mesh) {
        return Arrays.stream(Family.values())
                .filter(family -> !of(mesh, family).isEmpty())
                .toList();
    }

    private static List<Prefix> of(Mesh mesh, Family family) {
        return mesh.reach().stream().filter(prefix -> prefix.family() == family).toList();
    }

    private static String name(int number, Family family) {
        return "mesh" + number + "_" + GuardRuleset.name(family).toLowerCase(Locale.ROOT);
    }
}
