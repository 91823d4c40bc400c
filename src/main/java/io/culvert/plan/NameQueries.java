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

/** Whoever asks for a name asks our stub. */
final class NameQueries {

    /** Before the container engine's own redirections, at -100, which lead to a resolver outside of the tunnel. */
    private static final int PRIORITY = -110;

    private static final int SOURCE_NAT = 100;

    private final GuardInput input;

    NameQueries(GuardInput input) {
        this.input = input;
    }

    /**
     * All questions of local processes, wherever they are meant to go, except into the mesh: these are encrypted, and
     * Tailscale's own resolver asks there on behalf of the stub.
     */
    Optional<Chain> ofLocalProcesses() {
        if (input.dnsPort().isEmpty()) {
            return toTunnelsResolvers();
        }
        List<Rule> rules = new ArrayList<>(new Holes(input.holes()).rulesWithPort("not redirected: holepunch"));
        List<Statement> question = new ArrayList<>();
        if (!input.meshes().isEmpty()) {
            question.add(leavesByOtherThan(input.meshLinks()));
        }
        question.add(markedByNoneOf(input.marks()));
        question.add(hasPorts());
        question.add(toPort(Match.DNS));
        question.add(new Redirect(input.dnsPort().getAsInt()));
        rules.add(new Rule("every local question for a name to our stub", question));
        return Optional.of(Chain.base("names", Chain.Type.NAT, Hook.OUTPUT, PRIORITY, Policy.ACCEPT, rules));
    }

    /**
     * Whatever a file or a service of the machine says, such as systemd-resolved, which listens on loopback and forwards: what it
     * forwards is led to the tunnel's servers.
     */
    private Optional<Chain> toTunnelsResolvers() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.tunnel().resolvers(family);
            if (!resolvers.isEmpty()) {
                rules.add(Rule.of(
                        "every DNS query to the tunnel's server, " + GuardRuleset.name(family),
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
                : Optional.of(Chain.base("names", Chain.Type.NAT, Hook.OUTPUT, PRIORITY, Policy.ACCEPT, rules));
    }

    /** A query that was to leave by another link has that link's address. */
    Optional<Chain> sources() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.tunnel().resolvers(family);
            List<InetAddress> own = input.tunnel().addresses().stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (!resolvers.isEmpty() && !own.isEmpty()) {
                rules.add(Rule.of(
                        "DNS queries have the tunnel's address, " + GuardRuleset.name(family),
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
                : Optional.of(
                        Chain.base("name_sources", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, rules));
    }

    /**
     * The questions that clients of a plain mesh ask this node itself. Tailscale's have a resolver of their own, and what
     * listens on port 53 for them here is the user's.
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
                            "questions from the mesh to our stub, " + GuardRuleset.name(family),
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
                : Optional.of(
                        Chain.base("mesh_names", Chain.Type.NAT, Hook.PREROUTING, PRIORITY, Policy.ACCEPT, rules));
    }
}
