// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.anyOfAddresses;
import static io.culvert.firewall.Matches.fromLink;
import static io.culvert.firewall.Matches.isInboundConnection;
import static io.culvert.firewall.Matches.isReply;
import static io.culvert.firewall.Matches.notFromAddress;
import static io.culvert.firewall.Matches.toLink;

import io.culvert.firewall.KillSwitchInput.Mesh;
import io.culvert.firewall.KillSwitchInput.Scope;
import io.culvert.net.Family;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.NftRule;
import io.culvert.nft.Statement.ClampMss;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Masquerade;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.Verdict;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Builds the chains for forwarded packets: between the mesh, gateway clients and the tunnel, and nothing else. */
final class ForwardRules {

    private static final int MANGLE = -150;
    /**
     * Before Tailscale's own source NAT at 100, which keeps a connection's port: the first NAT rule that matches
     * decides.
     */
    private static final int SOURCE_NAT = 99;

    private final KillSwitchInput input;
    private final String tunnel;

    ForwardRules(KillSwitchInput input) {
        this.input = input;
        this.tunnel = input.tunnel().link();
    }

    /** Clamps the TCP MSS: path MTU discovery fails too often to rely on it behind two tunnels. */
    Chain mssClamping() {
        List<String> innerLinks = new ArrayList<>(List.of(tunnel));
        innerLinks.addAll(input.meshLinks());
        List<NftRule> rules = new ArrayList<>();
        rules.add(NftRule.of("clamp MSS to path MTU", toLink(innerLinks), new ClampMss()));
        rules.addAll(new GatewayClients(input).mssClamping());
        return Chain.filter("mss_clamping", Hook.FORWARD, MANGLE, Policy.ACCEPT, rules);
    }

    Chain forward() {
        List<NftRule> rules = new ArrayList<>();
        if (!input.meshes().isEmpty()) {
            rules.addAll(meshRules());
        }
        rules.addAll(new GatewayClients(input).forwarded());
        if (input.scope() == Scope.TUNNEL_ONLY) {
            rules.add(NftRule.of("forwarded into the tunnel", toLink(tunnel), Verdict.ACCEPT));
            rules.add(NftRule.of(
                    "replies forwarded from the tunnel",
                    fromLink(tunnel),
                    isReply(),
                    isInboundConnection(),
                    Verdict.ACCEPT));
            rules.add(NftRule.of("not forwarded", new Counter(), new Reject()));
        } else {
            rules.add(NftRule.of("not forwarded", new Counter(), Verdict.DROP));
        }
        return Chain.filter("forward", Hook.FORWARD, KillSwitchRuleset.PRIORITY, Policy.DROP, rules);
    }

    /** Forwards between peers of the same mesh interface only: subnets of a mesh do not reach each other. */
    private List<NftRule> meshRules() {
        List<NftRule> rules = new ArrayList<>();
        List<String> links = input.meshLinks();
        MeshDestinations destinations = new MeshDestinations(input);
        rules.addAll(destinations.forwarded());
        for (Mesh mesh : input.meshes()) {
            rules.addAll(new AdvertisedSubnets(mesh).forwarded(tunnel));
        }
        for (Family family : Family.values()) {
            if (!input.tunnel().families().contains(family)) {
                rules.add(NftRule.of(
                        "the tunnel carries no " + family.text() + ", exit-node clients",
                        fromLink(links),
                        Matches.isFamily(family),
                        new Reject()));
            }
        }
        rules.addAll(destinations.notForwardedToTunnel());
        rules.add(NftRule.of("exit-node clients to the tunnel", fromLink(links), toLink(tunnel), Verdict.ACCEPT));
        rules.add(
                NftRule.of("replies to exit-node clients", fromLink(tunnel), toLink(links), isReply(), Verdict.ACCEPT));
        rules.add(NftRule.of("rejected from the mesh", fromLink(links), new Counter(), new Reject()));
        return rules;
    }

    /**
     * Returns the source NAT. Everything leaves through the tunnel with the tunnel's address: the provider drops other
     * sources, and must not receive them. Source ports are random, so that a mesh peer cannot claim a port of this
     * machine (CVE-2021-3773).
     */
    Optional<Chain> sourceNat() {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> tunnelAddresses = input.tunnel().addresses().stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (input.tunnel().families().contains(family) && !tunnelAddresses.isEmpty()) {
                rules.add(NftRule.of(
                        "masquerade as the tunnel's address, " + family.text(),
                        toLink(tunnel),
                        notFromAddress(family, anyOfAddresses(tunnelAddresses)),
                        new Masquerade()));
            }
        }
        input.meshes().stream()
                .filter(Mesh::masquerades)
                .forEach(_ -> rules.add(NftRule.of(
                        "random source ports for what Tailscale forwards",
                        Matches.isForwardedByTailscale(),
                        new Masquerade())));
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        Chain.base("source_nat", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, rules));
    }
}
