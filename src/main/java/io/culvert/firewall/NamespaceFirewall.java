// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.anyOfAddresses;
import static io.culvert.firewall.Matches.fromAddress;
import static io.culvert.firewall.Matches.fromLink;
import static io.culvert.firewall.Matches.isReply;
import static io.culvert.firewall.Matches.isTcpOrUdp;
import static io.culvert.firewall.Matches.toAddress;
import static io.culvert.firewall.Matches.toLink;
import static io.culvert.firewall.Matches.toPort;
import static io.culvert.firewall.Matches.toPorts;

import io.culvert.net.Family;
import io.culvert.net.Port;
import io.culvert.net.SpecialRange;
import io.culvert.net.Transport;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Masquerade;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.SendTo;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Builds the nftables ruleset of a namespace with confined programs. It needs no rule against other links: the namespace has
 * only loopback and the tunnel.
 */
public final class NamespaceFirewall {

    private static final String LOOPBACK = "lo";
    private static final int DESTINATION_NAT = -100;
    private static final int SOURCE_NAT = 100;

    private final String link;
    private final List<InetAddress> resolvers;

    private NamespaceFirewall(String link, List<InetAddress> resolvers) {
        this.link = link;
        this.resolvers = resolvers;
    }

    /**
     * Returns the ruleset.
     *
     * @param resolvers in order; DNS queries to any other address are redirected to the first one of their family
     */
    public static List<Table> of(String link, List<InetAddress> resolvers, List<Port> inboundPorts) {
        NamespaceFirewall firewall = new NamespaceFirewall(link, resolvers);
        return List.of(new Table(
                KillSwitchRuleset.TABLE,
                List.of(),
                List.of(
                        firewall.input(inboundPorts),
                        Chain.filter("forward", Hook.FORWARD, 0, Policy.DROP, List.of()),
                        firewall.output(),
                        firewall.dnsRedirect(),
                        firewall.dnsSourceAddress())));
    }

    private Chain input(List<Port> inboundPorts) {
        List<NftRule> rules = new ArrayList<>();
        rules.add(NftRule.of("loopback", fromLink(LOOPBACK), Verdict.ACCEPT));
        rules.add(NftRule.of("replies", isReply(), Verdict.ACCEPT));
        // Only replies to redirected DNS queries may be addressed to loopback addresses.
        rules.add(NftRule.of(
                "to loopback addresses from the tunnel", toAddress(Family.IPV4, loopback(Family.IPV4)), Verdict.DROP));
        for (Transport transport : Transport.values()) {
            List<Integer> ports = inboundPorts.stream()
                    .filter(port -> port.transport() == transport)
                    .map(Port::number)
                    .distinct()
                    .toList();
            if (!ports.isEmpty()) {
                rules.add(NftRule.of(
                        "allowed inbound, " + transport, fromLink(link), toPorts(transport, ports), Verdict.ACCEPT));
            }
        }
        return Chain.filter("input", Hook.INPUT, 0, Policy.DROP, rules);
    }

    /** Rejects DNS queries over a family without a resolver, which could not be redirected. */
    private Chain output() {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            if (resolvers(family).isEmpty()) {
                rules.add(NftRule.of(
                        "no DNS server for queries over " + family.text(),
                        Matches.isFamily(family),
                        isTcpOrUdp(),
                        toPort(Matches.DNS),
                        new Reject()));
            }
        }
        return Chain.filter("output", Hook.OUTPUT, 0, Policy.ACCEPT, rules);
    }

    private Chain dnsRedirect() {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> dnsServers = resolvers(family);
            if (!dnsServers.isEmpty()) {
                rules.add(NftRule.of(
                        "redirect DNS queries to the tunnel's DNS server, " + family.text(),
                        Statement.isNot(Matches.destination(family), anyOfAddresses(dnsServers)),
                        isTcpOrUdp(),
                        toPort(Matches.DNS),
                        new SendTo(dnsServers.getFirst())));
            }
        }
        return Chain.base("dns_redirect", Chain.Type.NAT, Hook.OUTPUT, DESTINATION_NAT, Policy.ACCEPT, rules);
    }

    /** Replaces the loopback source address of redirected DNS queries, to which no reply could be sent. */
    private Chain dnsSourceAddress() {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            rules.add(NftRule.of(
                    "DNS queries leave with the tunnel's address, " + family.text(),
                    toLink(link),
                    fromAddress(family, loopback(family)),
                    new Masquerade()));
        }
        return Chain.base("dns_source_address", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, rules);
    }

    private static NftValue loopback(Family family) {
        return new NftValue.Address(SpecialRange.loopback(family));
    }

    private List<InetAddress> resolvers(Family family) {
        return resolvers.stream()
                .filter(resolver -> Family.of(resolver) == family)
                .toList();
    }
}
