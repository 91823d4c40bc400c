// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.fromLink;
import static io.culvert.firewall.Matches.isReply;
import static io.culvert.firewall.Matches.notFromLink;
import static io.culvert.firewall.Matches.notToLink;
import static io.culvert.firewall.Matches.toAddress;
import static io.culvert.firewall.Matches.toLink;

import io.culvert.net.DisjointPrefixes;
import io.culvert.net.Family;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Builds the rules for subnets that are advertised to the mesh (TS_ROUTES): its peers reach them outside the tunnel. */
final class AdvertisedSubnets {

    private final KillSwitchInput.Mesh mesh;

    AdvertisedSubnets(KillSwitchInput.Mesh mesh) {
        this.mesh = mesh;
    }

    List<NftRule> forwarded(String tunnel) {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : families()) {
            rules.add(NftRule.of(
                    "from the mesh to advertised subnets, " + family.text(),
                    fromLink(mesh.link()),
                    notToLink(tunnel),
                    toAddress(family, prefixes(family)),
                    Verdict.ACCEPT));
        }
        if (!rules.isEmpty()) {
            rules.add(NftRule.of(
                    "replies from advertised subnets",
                    notFromLink(tunnel),
                    toLink(mesh.link()),
                    isReply(),
                    Verdict.ACCEPT));
        }
        return rules;
    }

    /** Returns the rules for the same packets in postrouting. */
    List<NftRule> postroutingRules() {
        return families().stream()
                .map(family -> NftRule.of(
                        "to advertised subnets, postrouting, " + family.text(),
                        fromLink(mesh.link()),
                        toAddress(family, prefixes(family)),
                        Verdict.ACCEPT))
                .toList();
    }

    private List<Family> families() {
        return Arrays.stream(Family.values())
                .filter(family -> mesh.subnets().stream().anyMatch(subnet -> subnet.family() == family))
                .toList();
    }

    private NftValue prefixes(Family family) {
        return Matches.anyOfPrefixes(DisjointPrefixes.of(mesh.subnets().stream()
                .filter(subnet -> subnet.family() == family)
                .toList()));
    }
}
