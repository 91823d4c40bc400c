// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.fromAddress;
import static io.culvert.firewall.Matches.fromLink;
import static io.culvert.firewall.Matches.isReply;
import static io.culvert.firewall.Matches.isTcpOrUdp;
import static io.culvert.firewall.Matches.notFromLink;
import static io.culvert.firewall.Matches.notToLink;
import static io.culvert.firewall.Matches.toAddress;
import static io.culvert.firewall.Matches.toLink;
import static io.culvert.firewall.Matches.toPort;

import io.culvert.net.Family;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement.ClampMss;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Redirect;
import io.culvert.nft.Statement.Reject;
import io.culvert.nft.Statement.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Builds the rules for machines of the listed networks that use this node as their gateway: what they send by an uplink
 * is forwarded into the tunnel and nowhere else, and replies to that come back.
 */
final class GatewayClients {

    private final KillSwitchInput input;
    private final String tunnel;
    private final List<String> innerLinks = new ArrayList<>();
    private final List<String> notUplinks = new ArrayList<>();

    GatewayClients(KillSwitchInput input) {
        this.input = input;
        this.tunnel = input.tunnel().link();
        innerLinks.add(tunnel);
        innerLinks.addAll(input.meshLinks());
        notUplinks.add("lo");
        notUplinks.addAll(innerLinks);
    }

    List<NamedSet> sets() {
        return families().stream()
                .map(family -> NamedSet.ofPrefixes(name(family), family, input.gatewayClients()))
                .toList();
    }

    /** Returns the rules of the chain for forwarded packets. */
    List<NftRule> forwarded() {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : families()) {
            if (!input.tunnel().families().contains(family)) {
                rules.add(NftRule.of(
                        "the tunnel carries no " + family.text() + ", gateway clients",
                        notFromLink(notUplinks),
                        fromAddress(family, set(family)),
                        new Counter(),
                        new Reject()));
                continue;
            }
            rules.add(NftRule.of(
                    "gateway clients to the tunnel, " + family.text(),
                    notFromLink(notUplinks),
                    fromAddress(family, set(family)),
                    toLink(tunnel),
                    Verdict.ACCEPT));
            rules.add(NftRule.of(
                    "replies to gateway clients, " + family.text(),
                    fromLink(tunnel),
                    notToLink(innerLinks),
                    toAddress(family, set(family)),
                    isReply(),
                    Verdict.ACCEPT));
            rules.add(NftRule.of(
                    "rejected from gateway clients, " + family.text(),
                    notFromLink(notUplinks),
                    fromAddress(family, set(family)),
                    new Counter(),
                    new Reject()));
        }
        return rules;
    }

    /** Returns the rules for their replies in postrouting. */
    List<NftRule> postrouting() {
        return families().stream()
                .filter(input.tunnel().families()::contains)
                .map(family -> NftRule.of(
                        "replies to gateway clients, postrouting, " + family.text(),
                        fromLink(tunnel),
                        toAddress(family, set(family)),
                        isReply(),
                        Verdict.ACCEPT))
                .toList();
    }

    /** Returns the rule that clamps the TCP MSS of what servers accept from them. */
    List<NftRule> mssClamping() {
        return families().isEmpty()
                ? List.of()
                : List.of(NftRule.of(
                        "clamp MSS to path MTU, gateway clients",
                        fromLink(tunnel),
                        notToLink(innerLinks),
                        new ClampMss()));
    }

    /** Returns the rules for their DNS queries to the stub. */
    List<NftRule> input() {
        List<NftRule> rules = new ArrayList<>();
        input.dnsPort()
                .ifPresent(port -> families()
                        .forEach(family -> rules.add(NftRule.of(
                                "DNS queries of gateway clients, " + family.text(),
                                fromAddress(family, set(family)),
                                isTcpOrUdp(),
                                toPort(port),
                                Verdict.ACCEPT))));
        return rules;
    }

    /** Returns the chain that redirects their DNS queries to the stub, whichever server they are for. */
    Optional<Chain> dnsRedirect() {
        List<NftRule> rules = new ArrayList<>();
        input.dnsPort()
                .ifPresent(port -> families()
                        .forEach(family -> rules.add(NftRule.of(
                                "redirect DNS queries of gateway clients to the DNS stub, " + family.text(),
                                notFromLink(notUplinks),
                                fromAddress(family, set(family)),
                                isTcpOrUdp(),
                                toPort(Matches.DNS),
                                new Redirect(port)))));
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(Chain.base(
                        "gateway_dns_redirect",
                        Chain.Type.NAT,
                        Hook.PREROUTING,
                        DnsRedirect.PRIORITY,
                        Policy.ACCEPT,
                        rules));
    }

    private List<Family> families() {
        return Arrays.stream(Family.values())
                .filter(family -> input.gatewayClients().stream().anyMatch(prefix -> prefix.family() == family))
                .toList();
    }

    private static NftValue set(Family family) {
        return new NftValue.In(name(family));
    }

    private static String name(Family family) {
        return family == Family.IPV4 ? "gateway4" : "gateway6";
    }
}
