// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.anyOfAddresses;
import static io.culvert.firewall.Matches.fromAddress;
import static io.culvert.firewall.Matches.fromUdpPort;
import static io.culvert.firewall.Matches.hasMark;
import static io.culvert.firewall.Matches.hasTailscaleMark;
import static io.culvert.firewall.Matches.isInboundConnection;
import static io.culvert.firewall.Matches.isReply;
import static io.culvert.firewall.Matches.isTcpOrUdp;
import static io.culvert.firewall.Matches.notToUdpPort;
import static io.culvert.firewall.Matches.toAddress;
import static io.culvert.firewall.Matches.toLink;
import static io.culvert.firewall.Matches.toPort;
import static io.culvert.firewall.Matches.toPorts;

import io.culvert.firewall.KillSwitchInput.Mesh;
import io.culvert.firewall.KillSwitchInput.Scope;
import io.culvert.net.DisjointPrefixes;
import io.culvert.net.Family;
import io.culvert.net.SpecialRange;
import io.culvert.net.Transport;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Jump;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.Verdict;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Builds the chains for outgoing packets. The chain {@code uplink} decides what may leave through an uplink. It is
 * called twice: from {@code output}, where a local process is notified that its packet is rejected, and from {@code
 * postrouting}, because a packet whose destination or mark was changed may be rerouted to another link than {@code
 * output} saw.
 */
final class OutputRules {

    private final KillSwitchInput input;

    OutputRules(KillSwitchInput input) {
        this.input = input;
    }

    List<Chain> chains() {
        MeshDestinations destinations = new MeshDestinations(input);
        List<NftRule> inside = new ArrayList<>(destinations.notToTunnel(", postrouting", Verdict.DROP));
        inside.add(
                NftRule.of("to the tunnel, postrouting", toLink(input.tunnel().link()), Verdict.ACCEPT));
        inside.addAll(destinations.toMesh(", postrouting", Verdict.DROP));
        input.meshes().forEach(mesh -> inside.addAll(new AdvertisedSubnets(mesh).postroutingRules()));
        inside.addAll(new GatewayClients(input).postrouting());
        List<NftRule> output = new ArrayList<>();
        if (input.scope() == Scope.NODE) {
            output.addAll(fromTunnelAddress());
        }
        output.add(toLoopback());
        output.addAll(toInnerLinks());
        return List.of(uplink(uplinkRules()), output(output), postrouting(List.of("lo"), inside));
    }

    static Chain uplink(List<NftRule> rules) {
        return Chain.regular("uplink", rules);
    }

    /**
     * Returns the chain for packets of local processes.
     *
     * @param inner rules for packets to loopback, tunnel and mesh interfaces
     */
    static Chain output(List<NftRule> inner) {
        List<NftRule> rules = new ArrayList<>(inner);

        rules.add(NftRule.of("to an uplink", new Jump("uplink")));
        rules.add(NftRule.of("rejected on the uplink", new Counter(), new Reject()));
        return Chain.filter("output", Hook.OUTPUT, KillSwitchRuleset.PRIORITY, Policy.DROP, rules);
    }

    /**
     * Returns the chain for all packets before they are sent.
     *
     * @param inside links that packets may always leave through
     * @param forwarded rules for packets through tunnel and mesh interfaces, and to subnets that the user advertises
     */
    static Chain postrouting(List<String> inside, List<NftRule> forwarded) {
        List<NftRule> rules = new ArrayList<>();
        rules.add(NftRule.of("to loopback, postrouting", toLink(inside), Verdict.ACCEPT));
        rules.addAll(forwarded);
        rules.add(NftRule.of("to an uplink, postrouting", new Jump("uplink")));
        rules.add(NftRule.of("rerouted to the uplink", new Counter(), Verdict.DROP));
        return Chain.filter("postrouting", Hook.POSTROUTING, KillSwitchRuleset.PRIORITY, Policy.DROP, rules);
    }

    /** Returns the rules for the uplink before there is a plan. They do not even allow bootstrap DNS queries. */
    static List<NftRule> lockdown() {
        List<NftRule> rules = new ArrayList<>();
        rules.add(replies());
        rules.addAll(LinkEssentials.output(List.of()));
        return rules;
    }

    static NftRule toLoopback() {
        return NftRule.of("to loopback", toLink("lo"), Verdict.ACCEPT);
    }

    /**
     * Returns the rules that keep the tunnel's address, which the proxy uses, from reaching this machine and the mesh,
     * except the DNS stub: the name that a client requests may resolve to another address when the proxy connects than
     * when the proxy checked it. Other local processes use the tunnel's address only to reach that address itself.
     */
    private List<NftRule> fromTunnelAddress() {
        List<String> loopbackAndMesh = new ArrayList<>(List.of("lo"));
        loopbackAndMesh.addAll(input.meshLinks());
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> tunnelAddresses = input.tunnelAddresses(family);
            if (tunnelAddresses.isEmpty()) {
                continue;
            }
            String name = family.text();
            input.dnsPort()
                    .ifPresent(port -> rules.add(NftRule.of(
                            "from the tunnel's address to the DNS stub, " + name,
                            toLink("lo"),
                            fromAddress(family, anyOfAddresses(tunnelAddresses)),
                            toAddress(family, loopback(family)),
                            isTcpOrUdp(),
                            toPort(port),
                            Verdict.ACCEPT)));
            rules.add(NftRule.of(
                    "replies from the tunnel's address, " + name,
                    toLink(loopbackAndMesh),
                    fromAddress(family, anyOfAddresses(tunnelAddresses)),
                    isReply(),
                    Verdict.ACCEPT));
            List<Statement> rest = new ArrayList<>(
                    List.of(toLink(loopbackAndMesh), fromAddress(family, anyOfAddresses(tunnelAddresses))));
            if (!input.hasProxy()) {
                rest.add(Statement.isNot(Matches.destination(family), anyOfAddresses(tunnelAddresses)));
            }
            rest.addAll(List.of(new Counter(), new Reject()));
            rules.add(new NftRule("nothing else to loopback or mesh from the tunnel's address, " + name, rest));
        }
        return rules;
    }

    private static NftValue loopback(Family family) {
        return new NftValue.Address(SpecialRange.loopback(family));
    }

    private List<NftRule> toInnerLinks() {
        String tunnel = input.tunnel().link();
        List<String> inner = new ArrayList<>(List.of(tunnel));
        inner.addAll(input.meshLinks());
        List<NftRule> rules = new ArrayList<>();
        rules.add(NftRule.of(
                "the tunnel's own packets never enter tunnel or mesh",
                toLink(inner),
                hasMark(input.marks().tunnel()),
                Verdict.DROP));
        if (isTailscale()) {
            rules.add(NftRule.of(
                    "Tailscale's own packets never enter the tunnel",
                    toLink(tunnel),
                    hasTailscaleMark(),
                    Verdict.DROP));
        }
        for (Family family : Family.values()) {
            rules.add(NftRule.of(
                    "no multicast into tunnel or mesh, " + family.text(),
                    toLink(inner),
                    toAddress(family, Matches.multicast(family)),
                    Verdict.DROP));
        }
        for (Family family : Family.values()) {
            if (!input.tunnel().families().contains(family)) {
                rules.add(NftRule.of(
                        "the tunnel carries no " + family.text() + ", local processes",
                        toLink(tunnel),
                        Matches.isFamily(family),
                        new Reject()));
            }
        }
        if (input.dnsPort().isPresent()) {
            // In this hook, redirected packets still have the output link from before the redirection.
            for (Family family : Family.values()) {
                rules.add(NftRule.of(
                        "redirected to the DNS stub, " + family.text(),
                        toAddress(family, loopback(family)),
                        Verdict.ACCEPT));
            }
        }
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.tunnel().resolvers(family);
            if (!resolvers.isEmpty()) {
                // These too. If they are in fact routed to an uplink, postrouting drops them.
                rules.add(NftRule.of(
                        "redirected to the tunnel's DNS server, " + family.text(),
                        toAddress(family, anyOfAddresses(resolvers)),
                        isTcpOrUdp(),
                        toPort(Matches.DNS),
                        Verdict.ACCEPT));
            }
        }
        MeshDestinations destinations = new MeshDestinations(input);
        rules.addAll(destinations.notToTunnel("", new Reject()));
        rules.add(NftRule.of("to " + tunnel, toLink(tunnel), Verdict.ACCEPT));
        rules.addAll(destinations.toMesh("", new Reject()));
        return rules;
    }

    private List<NftRule> uplinkRules() {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> inner = input.innerAddresses(family);
            if (!inner.isEmpty()) {
                rules.add(NftRule.of(
                        "never from a tunnel or mesh address, " + family.text(),
                        fromAddress(family, anyOfAddresses(inner)),
                        Verdict.RETURN));
            }
        }
        if (input.scope() == Scope.NODE) {
            // Packets to that port are allowed from any address, so another process bound to it while WireGuard is not
            // running must not reply.
            input.tunnel()
                    .port()
                    .ifPresent(port -> rules.add(NftRule.of(
                            "nothing but the tunnel sends from its UDP port",
                            fromUdpPort(port),
                            Matches.hasOtherMark(input.marks().tunnel()),
                            Verdict.RETURN)));
        }
        rules.add(replies());
        rules.addAll(LinkEssentials.output(input.onLink()));
        rules.addAll(tunnelPackets());
        rules.addAll(meshPackets());
        Bypasses bypasses = new Bypasses(input.bypasses());
        rules.addAll(bypasses.rulesWithPort("bypass by port"));
        rules.add(NftRule.of(
                "no DNS outside the tunnel", isTcpOrUdp(), toPort(Matches.DNS, Matches.DNS_ENCRYPTED), Verdict.RETURN));
        rules.addAll(bypasses.rulesWithoutPort("bypass"));
        rules.addAll(new LocalNetworks(input.lan()).outputRules());
        return rules;
    }

    private List<NftRule> tunnelPackets() {
        Statement isTunnel = hasMark(input.marks().tunnel());
        List<NftRule> rules = new ArrayList<>(new Servers(input).outputRules());
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.resolvers().stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (!resolvers.isEmpty()) {
                rules.add(NftRule.of(
                        "bootstrap DNS queries, " + family.text(),
                        isTunnel,
                        toAddress(family, anyOfAddresses(resolvers)),
                        isTcpOrUdp(),
                        toPort(Matches.DNS),
                        Verdict.ACCEPT));
            }
        }
        return rules;
    }

    private List<NftRule> meshPackets() {
        if (isTailscale()) {
            List<NftRule> rules = new ArrayList<>();
            for (Family family : Family.values()) {
                rules.add(NftRule.of(
                        "no DNS over HTTPS of Tailscale outside the tunnel, " + family.text(),
                        hasTailscaleMark(),
                        toAddress(family, Matches.anyOfPrefixes(DisjointPrefixes.of(DohResolvers.of(family)))),
                        isTcpOrUdp(),
                        toPort(DohResolvers.HTTPS),
                        Verdict.RETURN));
            }
            input.meshes().forEach(mesh -> rules.addAll(tailscale(mesh)));
            return rules;
        }
        int[] ports = input.meshes().stream()
                .flatMapToInt(mesh -> mesh.port().stream())
                .toArray();
        return ports.length == 0
                ? List.of()
                : List.of(NftRule.of(
                        "WireGuard packets of the mesh",
                        hasMark(input.marks().tunnel()),
                        fromUdpPort(ports),
                        Verdict.ACCEPT));
    }

    /**
     * Allows Tailscale's UDP from its own port to any peer, and its TCP to the ports of its control server and relays.
     */
    private static List<NftRule> tailscale(Mesh mesh) {
        List<NftRule> rules = new ArrayList<>();
        mesh.port()
                .ifPresent(port -> rules.add(NftRule.of(
                        "Tailscale to its peers, except DNS",
                        hasTailscaleMark(),
                        fromUdpPort(port),
                        notToUdpPort(Matches.DNS, Matches.DNS_ENCRYPTED),
                        Verdict.ACCEPT)));
        if (!mesh.serverPorts().isEmpty()) {
            rules.add(NftRule.of(
                    "Tailscale to its servers and relays",
                    hasTailscaleMark(),
                    toPorts(Transport.TCP, new TreeSet<>(mesh.serverPorts())),
                    Verdict.ACCEPT));
        }
        return rules;
    }

    private boolean isTailscale() {
        return input.meshes().stream().anyMatch(mesh -> mesh.kind() == Mesh.Kind.TAILSCALE);
    }

    private static NftRule replies() {
        return NftRule.of("replies to connections from the uplink", isReply(), isInboundConnection(), Verdict.ACCEPT);
    }
}
