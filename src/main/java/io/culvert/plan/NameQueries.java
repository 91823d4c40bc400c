package io.culvert.plan;

import static io.culvert.plan.Match.cameBy;
import static io.culvert.plan.Match.hasPorts;
import static io.culvert.plan.Match.leavesBy;
import static io.culvert.plan.Match.leavesByOtherThan;
import static io.culvert.plan.Match.markedByNoneOf;
import static io.culvert.plan.Match.oneOf;
import static io.culvert.plan.Match.sentFromOtherThan;
import static io.culvert.plan.Match.sentTo;
import static io.culvert.plan.Match.toPort;

import io.culvert.ip.Family;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Masquerade;
import io.culvert.nft.Statement.Redirect;
import io.culvert.nft.Statement.SendTo;
import io.culvert.plan.GuardInput.Mesh;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Builds the chains that redirect DNS queries to the DNS stub, or to the tunnel's DNS servers. */
final class NameQueries {

    /** Before the container engine's own redirection, at -100, to a resolver outside the tunnel. */
    private static final int PRIORITY = -110;

    private static final int SOURCE_NAT = 100;

    private final GuardInput input;

    NameQueries(GuardInput input) {
        this.input = input;
    }

    /**
     * Returns the chain that redirects all DNS queries of local processes, except those into the mesh: they are encrypted there,
     * and Tailscale's own resolver sends such queries on behalf of the stub.
     */
    Optional<Chain> ofLocalProcesses() {
        if (input.dnsPort().isEmpty()) {
            return toTunnelsResolvers();
        }
        List<Rule> rules = new ArrayList<>(new Holes(input.holes()).rulesWithPort("not redirected: bypass"));
        List<Statement> question = new ArrayList<>();
        if (!input.meshes().isEmpty()) {
            question.add(leavesByOtherThan(input.meshLinks()));
        }
        question.add(markedByNoneOf(input.marks()));
        question.add(hasPorts());
        question.add(toPort(Match.DNS));
        question.add(new Redirect(input.dnsPort().getAsInt()));
        rules.add(new Rule("redirect local DNS queries to the DNS stub", question));
        return Optional.of(Chain.base("dns_redirect", Chain.Type.NAT, Hook.OUTPUT, PRIORITY, Policy.ACCEPT, rules));
    }

    /**
     * Returns the chain that redirects DNS queries to the tunnel's servers, whatever the machine's configuration says. Queries
     * that a local service such as systemd-resolved forwards are redirected too.
     */
    private Optional<Chain> toTunnelsResolvers() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.tunnel().resolvers(family);
            if (!resolvers.isEmpty()) {
                rules.add(Rule.of(
                        "redirect DNS queries to the tunnel's DNS server, " + GuardRuleset.name(family),
                        leavesByOtherThan("lo"),
                        markedByNoneOf(input.marks()),
                        Statement.isNot(Match.destination(family), oneOf(resolvers)),
                        hasPorts(),
                        toPort(Match.DNS),
                        new SendTo(resolvers.getFirst())));
            }
        }
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(Chain.base("dns_redirect", Chain.Type.NAT, Hook.OUTPUT, PRIORITY, Policy.ACCEPT, rules));
    }

    /** Returns the chain that gives redirected queries the tunnel's address: they may have that of another link. */
    Optional<Chain> sources() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.tunnel().resolvers(family);
            List<InetAddress> own = input.tunnel().addresses().stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (!resolvers.isEmpty() && !own.isEmpty()) {
                rules.add(Rule.of(
                        "DNS queries leave with the tunnel's address, " + GuardRuleset.name(family),
                        leavesBy(input.tunnel().link()),
                        sentTo(family, oneOf(resolvers)),
                        sentFromOtherThan(family, oneOf(own)),
                        hasPorts(),
                        toPort(Match.DNS),
                        new Masquerade()));
            }
        }
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(Chain.base(
                        "dns_source_address", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, rules));
    }

    /**
     * Returns the chain that redirects DNS queries of a WireGuard mesh's clients to this node. Tailscale's clients have a resolver
     * of their own, and a service that listens on port 53 for them here is the user's.
     */
    Optional<Chain> ofMeshClients() {
        List<Rule> rules = new ArrayList<>();
        List<Mesh> plain = input.meshes().stream()
                .filter(mesh -> mesh.kind() == Mesh.Kind.WIREGUARD)
                .toList();
        input.dnsPort().ifPresent(port -> {
            for (Family family : Family.values()) {
                List<InetAddress> own = plain.stream()
                        .flatMap(mesh -> mesh.addresses().stream())
                        .filter(address -> Family.of(address) == family)
                        .toList();
                if (!own.isEmpty()) {
                    rules.add(Rule.of(
                            "redirect DNS queries from the mesh to the DNS stub, " + GuardRuleset.name(family),
                            cameBy(plain.stream().map(Mesh::link).toList()),
                            sentTo(family, oneOf(own)),
                            hasPorts(),
                            toPort(Match.DNS),
                            new Redirect(port)));
                }
            }
        });
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(Chain.base(
                        "mesh_dns_redirect", Chain.Type.NAT, Hook.PREROUTING, PRIORITY, Policy.ACCEPT, rules));
    }
}
