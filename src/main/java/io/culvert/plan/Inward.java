package io.culvert.plan;

import static io.culvert.plan.Match.cameBy;
import static io.culvert.plan.Match.cameByOtherThan;
import static io.culvert.plan.Match.isReply;
import static io.culvert.plan.Match.oneOf;
import static io.culvert.plan.Match.sentTo;
import static io.culvert.plan.Match.toPorts;

import io.culvert.ip.Family;
import io.culvert.ip.Transport;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Verdict;
import io.culvert.plan.GuardInput.Port;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Builds the chains for inbound packets. */
final class Inward {

    /** Before connection tracking, which is at -200. */
    private static final int RAW = -300;

    private final GuardInput input;

    Inward(GuardInput input) {
        this.input = input;
    }

    /**
     * Returns the anti-spoofing chain: packets to an address of tunnel or mesh must come from its own link. Otherwise neighbours
     * could probe for the address and inject packets into connections (CVE-2019-14899).
     */
    Optional<Chain> spoofed() {
        List<Rule> rules = new ArrayList<>();
        rules.addAll(spoofed("tunnel", input.tunnel().link(), input.tunnel().addresses()));
        for (GuardInput.Mesh mesh : input.meshes()) {
            String what = input.meshes().size() == 1 ? "mesh" : "mesh " + mesh.link();
            rules.addAll(spoofed(what, mesh.link(), mesh.addresses()));
        }
        return rules.isEmpty() ? Optional.empty() : Optional.of(spoofed(rules));
    }

    static Chain spoofed(List<Rule> rules) {
        return Chain.base("anti_spoofing", Chain.Type.FILTER, Hook.PREROUTING, RAW, Policy.ACCEPT, rules);
    }

    static List<Rule> spoofed(String what, String link, List<InetAddress> addresses) {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> ours = addresses.stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (!ours.isEmpty()) {
                rules.add(Rule.of(
                        "anti-spoofing: to the address of the " + what + " from another link, "
                                + GuardRuleset.name(family),
                        cameByOtherThan(link, "lo"),
                        sentTo(family, oneOf(ours)),
                        new Counter(),
                        Verdict.DROP));
            }
        }
        return rules;
    }

    Chain input() {
        List<Rule> rules = new ArrayList<>();
        rules.add(loopback());
        String tunnel = input.tunnel().link();
        rules.add(Rule.of("replies from the tunnel", cameBy(tunnel), isReply(), Verdict.ACCEPT));
        rules.add(Rule.of("nothing else from the tunnel", cameBy(tunnel), new Counter(), Verdict.DROP));
        if (!input.meshes().isEmpty()) {
            rules.add(Rule.of("from the mesh", cameBy(input.meshLinks()), Verdict.ACCEPT));
        }
        rules.add(replies());
        // A server may respond from another address or port than its endpoint: WireGuard accepts any packet that is
        // authenticated by its key.
        input.tunnel()
                .port()
                .ifPresent(port -> rules.add(Rule.of(
                        "to the tunnel's UDP port, from any address",
                        toPorts(Transport.UDP, List.of(port)),
                        Verdict.ACCEPT)));
        rules.addAll(AddressKeeping.inward());
        for (Transport transport : Transport.values()) {
            TreeSet<Integer> ports = new TreeSet<>();
            input.published().stream()
                    .filter(port -> port.transport() == transport)
                    .map(Port::number)
                    .forEach(ports::add);
            if (transport == Transport.UDP) {
                input.meshes().forEach(mesh -> mesh.port().ifPresent(ports::add));
            }
            if (!ports.isEmpty()) {
                rules.add(Rule.of("to published " + transport + " ports", toPorts(transport, ports), Verdict.ACCEPT));
            }
        }
        rules.addAll(new Lan(input.lan()).reaching());
        rules.add(dropped());
        return chain(rules);
    }

    static Chain closed() {
        List<Rule> rules = new ArrayList<>();
        rules.add(loopback());
        rules.add(replies());
        rules.addAll(AddressKeeping.inward());
        rules.add(dropped());
        return chain(rules);
    }

    private static Rule loopback() {
        return Rule.of("from loopback", cameBy("lo"), Verdict.ACCEPT);
    }

    private static Rule replies() {
        return Rule.of("replies from the uplink", isReply(), Verdict.ACCEPT);
    }

    private static Rule dropped() {
        return Rule.of("nothing else from the uplink", new Counter(), Verdict.DROP);
    }

    private static Chain chain(List<Rule> rules) {
        return Chain.base("input", Chain.Type.FILTER, Hook.INPUT, GuardRuleset.PRIORITY, Policy.DROP, rules);
    }
}
