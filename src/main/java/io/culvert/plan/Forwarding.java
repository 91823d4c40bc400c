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

/** Builds the chains for forwarded packets: between the mesh and the tunnel, and nothing else. */
final class Forwarding {

    private static final int MANGLE = -150;
    /** Before Tailscale's own source NAT at 100, which keeps a connection's port: the first NAT rule that matches decides. */
    private static final int SOURCE_NAT = 99;

    private final GuardInput input;
    private final String tunnel;

    Forwarding(GuardInput input) {
        this.input = input;
        this.tunnel = input.tunnel().link();
    }

    /** Clamps the TCP MSS: path MTU discovery fails too often to rely on it behind two tunnels. */
    Chain segmentSize() {
        List<String> narrow = new ArrayList<>(List.of(tunnel));
        narrow.addAll(input.meshLinks());
        return Chain.base(
                "mss_clamping",
                Chain.Type.FILTER,
                Hook.FORWARD,
                MANGLE,
                Policy.ACCEPT,
                List.of(Rule.of("clamp MSS to path MTU", leavesBy(narrow), new ClampMss())));
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

    /** Forwards between peers of the same mesh interface only: subnets of a mesh do not reach each other. */
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
                        "the tunnel carries no " + GuardRuleset.name(family) + ", exit-node clients",
                        cameBy(links),
                        Match.of(family),
                        new Reject()));
            }
        }
        rules.addAll(reach.neverForwardedByTunnel());
        rules.add(Rule.of("exit-node clients to the tunnel", cameBy(links), leavesBy(tunnel), Verdict.ACCEPT));
        rules.add(Rule.of("replies to exit-node clients", cameBy(tunnel), leavesBy(links), isReply(), Verdict.ACCEPT));
        rules.add(Rule.of("rejected from the mesh", cameBy(links), new Counter(), new Reject()));
        return rules;
    }

    /**
     * Returns the source NAT. Everything leaves through the tunnel with the tunnel's address: the provider drops other sources,
     * and must not learn them. Source ports are random, so that a mesh peer cannot claim a port of this machine (CVE-2021-3773).
     */
    Optional<Chain> translation() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> own = input.tunnel().addresses().stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (input.tunnel().families().contains(family) && !own.isEmpty()) {
                rules.add(Rule.of(
                        "masquerade as the tunnel's address, " + GuardRuleset.name(family),
                        leavesBy(tunnel),
                        sentFromOtherThan(family, oneOf(own)),
                        new Masquerade()));
            }
        }
        input.meshes().stream()
                .filter(Mesh::translated)
                .forEach(_ -> rules.add(Rule.of(
                        "random source ports for what Tailscale forwards",
                        Match.forwardedByTailscale(),
                        new Masquerade())));
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        Chain.base("source_nat", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, rules));
    }
}
