// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.fromLink;
import static io.culvert.firewall.Matches.toAddress;
import static io.culvert.firewall.Matches.toLink;

import io.culvert.firewall.KillSwitchInput.Mesh;
import io.culvert.net.DisjointPrefixes;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Builds the rules for destinations in the mesh. Packets to a mesh interface must be for the mesh's own addresses or routes of its
 * peers: otherwise an exit node that this node itself uses could replace the tunnel. And these destinations are reached through no
 * other link: otherwise the provider would get packets for the mesh as soon as its interface is gone.
 */
final class MeshDestinations {

    private final KillSwitchInput input;

    MeshDestinations(KillSwitchInput input) {
        this.input = input;
    }

    /** Returns a set for each interface and family, as a mesh may have thousands of peers. */
    List<NamedSet> sets() {
        List<NamedSet> sets = new ArrayList<>();
        for (int number = 0; number < input.meshes().size(); number++) {
            Mesh mesh = input.meshes().get(number);
            for (Family family : families(mesh)) {
                sets.add(NamedSet.ofPrefixes(name(number, family), family, prefixes(mesh, family)));
            }
        }
        return sets;
    }

    /**
     * Returns the rules for packets to a mesh interface.
     *
     * @param commentSuffix suffix of the rules' comments, which must be unique in a table
     * @param verdict statement for all other packets to a mesh interface
     */
    List<NftRule> toMesh(String commentSuffix, Statement verdict) {
        if (input.meshes().isEmpty()) {
            return List.of();
        }
        List<NftRule> rules = new ArrayList<>();
        forEach((mesh, family, set) -> rules.add(NftRule.of(
                "to the mesh, " + family.text() + input.commentSuffix(mesh) + commentSuffix,
                toLink(mesh.link()),
                toAddress(family, set),
                Verdict.ACCEPT)));
        rules.add(NftRule.of(
                "nothing else to the mesh" + commentSuffix, toLink(input.meshLinks()), new Counter(), verdict));
        return rules;
    }

    /** Returns the rules for packets from one peer to another through the same interface. */
    List<NftRule> forwarded() {
        List<NftRule> rules = new ArrayList<>();
        forEach((mesh, family, set) -> rules.add(NftRule.of(
                "between peers of the mesh, " + family.text() + input.commentSuffix(mesh),
                fromLink(mesh.link()),
                toLink(mesh.link()),
                toAddress(family, set),
                Verdict.ACCEPT)));
        return rules;
    }

    /** Returns the rules for packets to the mesh that would leave through the tunnel. */
    List<NftRule> notToTunnel(String commentSuffix, Statement verdict) {
        return notToTunnel(commentSuffix, List.of(), verdict);
    }

    /** Returns the same rules for forwarded packets from the mesh. */
    List<NftRule> notForwardedToTunnel() {
        return input.meshes().isEmpty()
                ? List.of()
                : notToTunnel(", forwarded", List.of(fromLink(input.meshLinks())), new Reject());
    }

    private List<NftRule> notToTunnel(String commentSuffix, List<Statement> which, Statement verdict) {
        String tunnel = input.tunnel().link();
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<Prefix> exempt = input.tunnel().exempt().stream()
                    .filter(prefix -> prefix.family() == family)
                    .toList();
            if (!exempt.isEmpty() && !input.meshes().isEmpty()) {
                rules.add(rule(
                        "provider's addresses within the mesh's range, " + family.text() + commentSuffix,
                        which,
                        toLink(tunnel),
                        toAddress(family, Matches.anyOfPrefixes(DisjointPrefixes.of(exempt))),
                        Verdict.ACCEPT));
            }
        }
        forEach((mesh, family, set) -> rules.add(rule(
                "mesh destinations never enter the tunnel, " + family.text() + input.commentSuffix(mesh)
                        + commentSuffix,
                which,
                toLink(tunnel),
                toAddress(family, set),
                new Counter(),
                verdict)));
        return rules;
    }

    private static NftRule rule(String comment, List<Statement> first, Statement... statements) {
        List<Statement> all = new ArrayList<>(first);
        all.addAll(List.of(statements));
        return NftRule.of(comment, all.toArray(Statement[]::new));
    }

    private interface DestinationConsumer {
        void accept(Mesh mesh, Family family, NftValue set);
    }

    private void forEach(DestinationConsumer consumer) {
        for (int number = 0; number < input.meshes().size(); number++) {
            Mesh mesh = input.meshes().get(number);
            for (Family family : families(mesh)) {
                consumer.accept(mesh, family, new NftValue.In(name(number, family)));
            }
        }
    }

    private static List<Family> families(Mesh mesh) {
        return Arrays.stream(Family.values())
                .filter(family -> !prefixes(mesh, family).isEmpty())
                .toList();
    }

    private static List<Prefix> prefixes(Mesh mesh, Family family) {
        return mesh.reach().stream().filter(prefix -> prefix.family() == family).toList();
    }

    private static String name(int number, Family family) {
        return "mesh" + number + "_" + family.text().toLowerCase(Locale.ROOT);
    }
}
