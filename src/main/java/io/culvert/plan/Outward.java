package io.culvert.plan;

import static io.culvert.plan.Match.fromUdpPort;
import static io.culvert.plan.Match.hasPorts;
import static io.culvert.plan.Match.isOfInbound;
import static io.culvert.plan.Match.isReply;
import static io.culvert.plan.Match.leavesBy;
import static io.culvert.plan.Match.marked;
import static io.culvert.plan.Match.markedByTailscale;
import static io.culvert.plan.Match.oneOf;
import static io.culvert.plan.Match.sentFrom;
import static io.culvert.plan.Match.sentTo;
import static io.culvert.plan.Match.toPort;
import static io.culvert.plan.Match.toPorts;
import static io.culvert.plan.Match.toUdpPortOtherThan;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Jump;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Value;
import io.culvert.plan.GuardInput.Mesh;
import io.culvert.plan.GuardInput.Scope;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Builds the chains for outgoing packets. The chain {@code uplink} decides what may leave through an uplink. It is called twice:
 * from {@code output}, where a local process is notified that its packet is rejected, and from {@code postrouting}, because a
 * packet whose destination or mark was changed may be rerouted to another link than {@code output} saw.
 */
final class Outward {

    private final GuardInput input;

    Outward(GuardInput input) {
        this.input = input;
    }

    List<Chain> chains() {
        MeshReach reach = new MeshReach(input);
        List<Rule> inside = new ArrayList<>(reach.neverByTunnel(", postrouting", Verdict.DROP));
        inside.add(Rule.of("to the tunnel, postrouting", leavesBy(input.tunnel().link()), Verdict.ACCEPT));
        inside.addAll(reach.byMesh(", postrouting", Verdict.DROP));
        input.meshes().forEach(mesh -> inside.addAll(new Subnets(mesh).leaving()));
        List<Rule> outward = new ArrayList<>();
        if (input.scope() == Scope.NODE) {
            outward.addAll(fromTunnelAddress());
        }
        outward.add(toThisMachine());
        outward.addAll(toInnerLinks());
        return List.of(uplink(allowed()), output(outward), postrouting(List.of("lo"), inside));
    }

    static Chain uplink(List<Rule> rules) {
        return Chain.regular("uplink", rules);
    }

    /**
     * Returns the chain for packets of local processes.
     *
     * @param inner rules for packets to loopback, tunnel and mesh interfaces
     */
    static Chain output(List<Rule> inner) {
        List<Rule> rules = new ArrayList<>(inner);

        rules.add(Rule.of("to an uplink", new Jump("uplink")));
        rules.add(Rule.of("rejected on the uplink", new Counter(), new Reject()));
        return Chain.base("output", Chain.Type.FILTER, Hook.OUTPUT, GuardRuleset.PRIORITY, Policy.DROP, rules);
    }

    /**
     * Returns the chain for all packets before they are sent.
     *
     * @param inside links that packets may always leave through
     * @param forwarded rules for packets through tunnel and mesh interfaces, and to subnets that the user advertises
     */
    static Chain postrouting(List<String> inside, List<Rule> forwarded) {
        List<Rule> rules = new ArrayList<>();
        rules.add(Rule.of("to loopback, postrouting", leavesBy(inside), Verdict.ACCEPT));
        rules.addAll(forwarded);
        rules.add(Rule.of("to an uplink, postrouting", new Jump("uplink")));
        rules.add(Rule.of("rerouted to the uplink", new Counter(), Verdict.DROP));
        return Chain.base(
                "postrouting", Chain.Type.FILTER, Hook.POSTROUTING, GuardRuleset.PRIORITY, Policy.DROP, rules);
    }

    /** Returns the rules for the uplink before there is a plan. They do not even allow bootstrap DNS queries. */
    static List<Rule> closed() {
        List<Rule> rules = new ArrayList<>();
        rules.add(replies());
        rules.addAll(AddressKeeping.outward(List.of()));
        return rules;
    }

    static Rule toThisMachine() {
        return Rule.of("to loopback", leavesBy("lo"), Verdict.ACCEPT);
    }

    /**
     * Returns the rules that keep the tunnel's address, which the proxy uses, from reaching this machine and the mesh, except the
     * DNS stub: the name that a client requests may resolve to another address when the proxy connects than when the proxy
     * checked it. Other local processes use the tunnel's address only to reach that address itself.
     */
    private List<Rule> fromTunnelAddress() {
        List<String> near = new ArrayList<>(List.of("lo"));
        near.addAll(input.meshLinks());
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> own = input.tunnelAddresses(family);
            if (own.isEmpty()) {
                continue;
            }
            String name = GuardRuleset.name(family);
            input.dnsPort()
                    .ifPresent(port -> rules.add(Rule.of(
                            "from the tunnel's address to the DNS stub, " + name,
                            leavesBy("lo"),
                            sentFrom(family, oneOf(own)),
                            sentTo(family, loopback(family)),
                            hasPorts(),
                            toPort(port),
                            Verdict.ACCEPT)));
            rules.add(Rule.of(
                    "replies from the tunnel's address, " + name,
                    leavesBy(near),
                    sentFrom(family, oneOf(own)),
                    isReply(),
                    Verdict.ACCEPT));
            List<Statement> rest = new ArrayList<>(List.of(leavesBy(near), sentFrom(family, oneOf(own))));
            if (!input.proxied()) {
                rest.add(Statement.isNot(Match.destination(family), oneOf(own)));
            }
            rest.addAll(List.of(new Counter(), new Reject()));
            rules.add(new Rule("nothing else to loopback or mesh from the tunnel's address, " + name, rest));
        }
        return rules;
    }

    private static Value loopback(Family family) {
        return new Value.Address(Prefix.parse(family == Family.IPV4 ? "127.0.0.0/8" : "::1"));
    }

    private List<Rule> toInnerLinks() {
        String tunnel = input.tunnel().link();
        List<String> inner = new ArrayList<>(List.of(tunnel));
        inner.addAll(input.meshLinks());
        List<Rule> rules = new ArrayList<>();
        rules.add(Rule.of(
                "the tunnel's own packets never enter tunnel or mesh",
                leavesBy(inner),
                marked(input.marks().tunnel()),
                Verdict.DROP));
        if (isTailscale()) {
            rules.add(Rule.of(
                    "Tailscale's own packets never enter the tunnel",
                    leavesBy(tunnel),
                    markedByTailscale(),
                    Verdict.DROP));
        }
        for (Family family : Family.values()) {
            rules.add(Rule.of(
                    "no multicast into tunnel or mesh, " + GuardRuleset.name(family),
                    leavesBy(inner),
                    sentTo(family, Match.toMany(family)),
                    Verdict.DROP));
        }
        for (Family family : Family.values()) {
            if (!input.tunnel().families().contains(family)) {
                rules.add(Rule.of(
                        "the tunnel carries no " + GuardRuleset.name(family) + ", local processes",
                        leavesBy(tunnel),
                        Match.of(family),
                        new Reject()));
            }
        }
        if (input.dnsPort().isPresent()) {
            // In this hook, redirected packets still have the output link from before the redirection.
            for (Family family : Family.values()) {
                rules.add(Rule.of(
                        "redirected to the DNS stub, " + GuardRuleset.name(family),
                        sentTo(family, loopback(family)),
                        Verdict.ACCEPT));
            }
        }
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.tunnel().resolvers(family);
            if (!resolvers.isEmpty()) {
                // These too. If they are in fact routed to an uplink, postrouting drops them.
                rules.add(Rule.of(
                        "redirected to the tunnel's DNS server, " + GuardRuleset.name(family),
                        sentTo(family, oneOf(resolvers)),
                        hasPorts(),
                        toPort(Match.DNS),
                        Verdict.ACCEPT));
            }
        }
        MeshReach reach = new MeshReach(input);
        rules.addAll(reach.neverByTunnel("", new Reject()));
        rules.add(Rule.of("to " + tunnel, leavesBy(tunnel), Verdict.ACCEPT));
        rules.addAll(reach.byMesh("", new Reject()));
        return rules;
    }

    private List<Rule> allowed() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> inner = input.innerAddresses(family);
            if (!inner.isEmpty()) {
                rules.add(Rule.of(
                        "never from a tunnel or mesh address, " + GuardRuleset.name(family),
                        sentFrom(family, oneOf(inner)),
                        Verdict.RETURN));
            }
        }
        if (input.scope() == Scope.NODE) {
            // Packets to that port are allowed from any address, so another process bound to it while WireGuard is not
            // running must not reply.
            input.tunnel()
                    .port()
                    .ifPresent(port -> rules.add(Rule.of(
                            "nothing but the tunnel sends from its UDP port",
                            fromUdpPort(port),
                            Match.markedOtherThan(input.marks().tunnel()),
                            Verdict.RETURN)));
        }
        rules.add(replies());
        rules.addAll(AddressKeeping.outward(input.onLink()));
        rules.addAll(tunnelItself());
        rules.addAll(meshItself());
        Holes holes = new Holes(input.holes());
        rules.addAll(holes.rulesWithPort("bypass by port"));
        rules.add(Rule.of(
                "no DNS outside the tunnel", hasPorts(), toPort(Match.DNS, Match.DNS_ENCRYPTED), Verdict.RETURN));
        rules.addAll(holes.rulesWithoutPort("bypass"));
        rules.addAll(new Lan(input.lan()).reached());
        return rules;
    }

    private List<Rule> tunnelItself() {
        Statement ours = marked(input.marks().tunnel());
        List<Rule> rules = new ArrayList<>(new Servers(input).reached());
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.resolvers().stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (!resolvers.isEmpty()) {
                rules.add(Rule.of(
                        "bootstrap DNS queries, " + GuardRuleset.name(family),
                        ours,
                        sentTo(family, oneOf(resolvers)),
                        hasPorts(),
                        toPort(Match.DNS),
                        Verdict.ACCEPT));
            }
        }
        return rules;
    }

    private List<Rule> meshItself() {
        if (isTailscale()) {
            List<Rule> rules = new ArrayList<>();
            for (Family family : Family.values()) {
                rules.add(Rule.of(
                        "no DNS over HTTPS of Tailscale outside the tunnel, " + GuardRuleset.name(family),
                        markedByTailscale(),
                        sentTo(family, Match.oneOfPrefixes(Disjoint.of(EncryptedResolvers.of(family)))),
                        hasPorts(),
                        toPort(EncryptedResolvers.HTTPS),
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
                : List.of(Rule.of(
                        "WireGuard packets of the mesh",
                        marked(input.marks().tunnel()),
                        fromUdpPort(ports),
                        Verdict.ACCEPT));
    }

    /** Allows Tailscale's UDP from its own port to any peer, and its TCP to the ports of its control server and relays. */
    private static List<Rule> tailscale(Mesh mesh) {
        List<Rule> rules = new ArrayList<>();
        mesh.port()
                .ifPresent(port -> rules.add(Rule.of(
                        "Tailscale to its peers, except DNS",
                        markedByTailscale(),
                        fromUdpPort(port),
                        toUdpPortOtherThan(Match.DNS, Match.DNS_ENCRYPTED),
                        Verdict.ACCEPT)));
        if (!mesh.servers().isEmpty()) {
            rules.add(Rule.of(
                    "Tailscale to its servers and relays",
                    markedByTailscale(),
                    toPorts(Transport.TCP, new TreeSet<>(mesh.servers())),
                    Verdict.ACCEPT));
        }
        return rules;
    }

    private boolean isTailscale() {
        return input.meshes().stream().anyMatch(mesh -> mesh.kind() == Mesh.Kind.TAILSCALE);
    }

    private static Rule replies() {
        return Rule.of("replies to connections from the uplink", isReply(), isOfInbound(), Verdict.ACCEPT);
    }
}
