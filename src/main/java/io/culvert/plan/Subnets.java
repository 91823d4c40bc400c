package io.culvert.plan;

import static io.culvert.plan.Match.cameBy;
import static io.culvert.plan.Match.cameByOtherThan;
import static io.culvert.plan.Match.isReply;
import static io.culvert.plan.Match.leavesBy;
import static io.culvert.plan.Match.leavesByOtherThan;
import static io.culvert.plan.Match.sentTo;

import io.culvert.ip.Family;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Builds the rules for subnets that are advertised to the mesh (TS_ROUTES): its peers reach them outside the tunnel. */
final class Subnets {

    private final GuardInput.Mesh mesh;

    Subnets(GuardInput.Mesh mesh) {
        this.mesh = mesh;
    }

    List<Rule> forwarded(String tunnel) {
        List<Rule> rules = new ArrayList<>();
        for (Family family : families()) {
            rules.add(Rule.of(
                    "from the mesh to advertised subnets, " + GuardRuleset.name(family),
                    cameBy(mesh.link()),
                    leavesByOtherThan(tunnel),
                    sentTo(family, of(family)),
                    Verdict.ACCEPT));
        }
        if (!rules.isEmpty()) {
            rules.add(Rule.of(
                    "replies from advertised subnets",
                    cameByOtherThan(tunnel),
                    leavesBy(mesh.link()),
                    isReply(),
                    Verdict.ACCEPT));
        }
        return rules;
    }

    /** Returns the rules for the same packets in postrouting. */
    List<Rule> leaving() {
        return families().stream()
                .map(family -> Rule.of(
                        "to advertised subnets, postrouting, " + GuardRuleset.name(family),
                        cameBy(mesh.link()),
                        sentTo(family, of(family)),
                        Verdict.ACCEPT))
                .toList();
    }

    private List<Family> families() {
        return Arrays.stream(Family.values())
                .filter(family -> mesh.subnets().stream().anyMatch(subnet -> subnet.family() == family))
                .toList();
    }

    private Value of(Family family) {
        return Match.oneOfPrefixes(Disjoint.of(mesh.subnets().stream()
                .filter(subnet -> subnet.family() == family)
                .toList()));
    }
}
