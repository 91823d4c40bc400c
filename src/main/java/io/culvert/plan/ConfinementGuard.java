package io.culvert.plan;

import static io.culvert.plan.Match.cameBy;
import static io.culvert.plan.Match.hasPorts;
import static io.culvert.plan.Match.isReply;
import static io.culvert.plan.Match.leavesBy;
import static io.culvert.plan.Match.oneOf;
import static io.culvert.plan.Match.sentFrom;
import static io.culvert.plan.Match.sentTo;
import static io.culvert.plan.Match.toPort;
import static io.culvert.plan.Match.toPorts;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Masquerade;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.SendTo;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import io.culvert.nft.Value;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Builds the nftables ruleset of a namespace with confined programs. It needs no rule against other links: the namespace has
 * only loopback and the tunnel.
 */
final class ConfinementGuard {

    private static final String LOOPBACK = "lo";
    private static final int DESTINATION_NAT = -100;
    private static final int SOURCE_NAT = 100;

    private final String link;
    private final List<InetAddress> resolvers;

    private ConfinementGuard(String link, List<InetAddress> resolvers) {
        this.link = link;
        this.resolvers = resolvers;
    }

    /**
     * Returns the ruleset.
     *
     * @param resolvers in order; DNS queries to any other address are redirected to the first one of their family
     */
    static List<Table> of(String link, List<InetAddress> resolvers, List<GuardInput.Port> admitted) {
        ConfinementGuard guard = new ConfinementGuard(link, resolvers);
        return List.of(new Table(
                GuardRuleset.TABLE,
                List.of(),
                List.of(
                        guard.input(admitted),
                        Chain.base("forward", Chain.Type.FILTER, Hook.FORWARD, 0, Policy.DROP, List.of()),
                        guard.output(),
                        guard.questions(),
                        guard.answers())));
    }

    private Chain input(List<GuardInput.Port> admitted) {
        List<Rule> rules = new ArrayList<>();
        rules.add(Rule.of("loopback", cameBy(LOOPBACK), Verdict.ACCEPT));
        rules.add(Rule.of("replies", isReply(), Verdict.ACCEPT));
        // Only replies to redirected DNS queries may be addressed to loopback addresses.
        rules.add(Rule.of(
                "to loopback addresses from the tunnel", sentTo(Family.IPV4, loopback(Family.IPV4)), Verdict.DROP));
        for (Transport transport : Transport.values()) {
            List<Integer> ports = admitted.stream()
                    .filter(port -> port.transport() == transport)
                    .map(GuardInput.Port::number)
                    .distinct()
                    .toList();
            if (!ports.isEmpty()) {
                rules.add(Rule.of(
                        "allowed inbound, " + transport, cameBy(link), toPorts(transport, ports), Verdict.ACCEPT));
            }
        }
        return Chain.base("input", Chain.Type.FILTER, Hook.INPUT, 0, Policy.DROP, rules);
    }

    /** Rejects DNS queries over a family without a resolver, which could not be redirected. */
    private Chain output() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            if (of(family).isEmpty()) {
                rules.add(Rule.of(
                        "no DNS server for queries over " + GuardRuleset.name(family),
                        Match.of(family),
                        hasPorts(),
                        toPort(Match.DNS),
                        new Reject()));
            }
        }
        return Chain.base("output", Chain.Type.FILTER, Hook.OUTPUT, 0, Policy.ACCEPT, rules);
    }

    private Chain questions() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> known = of(family);
            if (!known.isEmpty()) {
                rules.add(Rule.of(
                        "redirect DNS queries to the tunnel's DNS server, " + GuardRuleset.name(family),
                        Statement.isNot(Match.destination(family), oneOf(known)),
                        hasPorts(),
                        toPort(Match.DNS),
                        new SendTo(known.getFirst())));
            }
        }
        return Chain.base("dns_redirect", Chain.Type.NAT, Hook.OUTPUT, DESTINATION_NAT, Policy.ACCEPT, rules);
    }

    /** Replaces the loopback source address of redirected DNS queries, to which no reply could be sent. */
    private Chain answers() {
        List<Rule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            rules.add(Rule.of(
                    "DNS queries leave with the tunnel's address, " + GuardRuleset.name(family),
                    leavesBy(link),
                    sentFrom(family, loopback(family)),
                    new Masquerade()));
        }
        return Chain.base("dns_source_address", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, rules);
    }

    private static Value loopback(Family family) {
        return new Value.Address(Prefix.parse(family == Family.IPV4 ? "127.0.0.0/8" : "::1/128"));
    }

    private List<InetAddress> of(Family family) {
        return resolvers.stream()
                .filter(resolver -> Family.of(resolver) == family)
                .toList();
    }
}
