package io.culvert.plan;

import static io.culvert.plan.Match.cameBy;
import static io.culvert.plan.Match.isOfInbound;
import static io.culvert.plan.Match.isReply;
import static io.culvert.plan.Match.leavesBy;
import static io.culvert.plan.Match.oneOf;
import static io.culvert.plan.Match.sentFromOtherThan;

import io.culvert.ip.Family;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement.ClampMss;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Masquerade;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.Verdict;
import io.culvert.plan.GuardInput.Mesh;
import io.culvert.plan.GuardInput.Scope;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What may pass through: between the mesh and the tunnel, and nowhere else. */
final class Forwarding {

    private static final int MANGLE = -150;
    /** Before Tailscale's own translation at 100, which keeps a connection's port: the first to translate decides. */
    private static final int SOURCE_NAT = 99;

    private final GuardInput input;
    private final String tunnel;

    Forwarding(GuardInput input) {
        this.input = input;
        this.tunnel = input.tunnel().link();
    }

    /** Path MTU discovery fails too often to rely on it behind two tunnels. */
    Chain segmentSize() {
        List<String> narrow = new ArrayList<>(List.of(tunnel));
        narrow.addAll(input.meshLinks());
        return Chain.base(
                "segment_size",
                Chain.Type.FILTER,
                Hook.FORWARD,
                MANGLE,
                Policy.ACCEPT,
                List.of(Rule.of("segments that fit the way", leavesBy(narrow), new ClampMss())));
    }

    Chain forward() {
        List<Rule> rules = new ArrayList<>();
        if (!input.meshes().isEmpty()) {
            rules.addAll(ofMesh());
        }
        if (input.scope() == Scope.TUNNEL_ONLY) {
            rules.add(Rule.of("forwarded into the tunnel", leavesBy(tunnel), Verdict.ACCEPT));
            rules.add(Rule.of(
                    "replies forwarded from the tunnel", cameBy(tunnel), isReply(), isOfInbound(), Verdict.ACCEPT));
            rules.add(Rule.of("not forwarded", new Counter(), new Reject()));
        } else {
            rules.add(Rule.of("not forwarded", new Counter(), Verdict.DROP));
        }
        return Chain.base("forward", Chain.Type.FILTER, Hook.FORWARD, GuardRuleset.PRIORITY, Policy.DROP, rules);
    }

    /** Who belongs to one subnet reaches nobody of another. */
    private List<Rule> ofMesh() {
        List<Rule> rules = new ArrayList<>();
        List<String> links = input.meshLinks();
        MeshReach reach = new MeshReach(input);
        rules.addAll(reach.forwarded());
        for (Mesh mesh : input.meshes()) {
            rules.addAll(new Subnets(mesh).forwarded(tunnel));
        }
        for (Family family : Family.values()) {
            if (!input.tunnel().families().contains(family)) {
                rules.add(Rule.of(
                        "the tunnel has no " + GuardRuleset.name(family) + " for the mesh",
                        cameBy(links),
                        Match.of(family),
                        new Reject()));
            }
        }
        rules.addAll(reach.neverForwardedByTunnel());
        rules.add(Rule.of("exit traffic", cameBy(links), leavesBy(tunnel), Verdict.ACCEPT));
        rules.add(Rule.of("replies to exit traffic", cameBy(tunnel), leavesBy(links), isReply(), Verdict.ACCEPT));
        rules.add(Rule.of("rejected from the mesh", cameBy(links), new Counter(), new Reject()));
        return rules;
    }

    /**
     * Everything leaves the tunnel with the tunnel's address: the provider drops all else, and is not to know it. Ports are
     * random, so that nobody in the mesh can take a port of this machine for himself (CVE-2021-3773).
     */
    Optional<Chain> translation() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> own = input.tunnel().addresses().stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (input.tunnel().families().contains(family) && !own.isEmpty()) {
                rules.add(Rule.of(
                        "the tunnel's address for everybody, " + GuardRuleset.name(family),
                        leavesBy(tunnel),
                        sentFromOtherThan(family, oneOf(own)),
                        new Masquerade()));
            }
        }
        input.meshes().stream()
                .filter(Mesh::translated)
                .forEach(_ -> rules.add(Rule.of(
                        "what Tailscale forwards, from random ports", Match.forwardedByTailscale(), new Masquerade())));
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        Chain.base("translation", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, rules));
    }
}
