// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.fromUdpPort;
import static io.culvert.firewall.Matches.icmpv6;
import static io.culvert.firewall.Matches.toAddress;
import static io.culvert.firewall.Matches.toUdpPort;

import io.culvert.net.DisjointPrefixes;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.NftValue.Word;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Verdict;
import io.culvert.rtnl.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The rules that keep an uplink usable: neighbour discovery, router advertisements and DHCP leases. The ICMPv6 types are from RFC
 * 4861, 2710 and 3810, the ports from RFC 2131 and RFC 8415 (DHCP). DHCP is allowed to the broadcast and multicast addresses of
 * the link only: a unicast renewal is rejected, after which the client broadcasts its request.
 */
public final class LinkEssentials {

    private static final Word LISTENER_QUERY = new Word("mld-listener-query", 130);
    private static final Word LISTENER_REPORT = new Word("mld-listener-report", 131);
    private static final Word LISTENER_DONE = new Word("mld-listener-done", 132);
    private static final Word ROUTER_SOLICITATION = new Word("nd-router-solicit", 133);
    private static final Word ROUTER_ADVERTISEMENT = new Word("nd-router-advert", 134);
    private static final Word NEIGHBOUR_SOLICITATION = new Word("nd-neighbor-solicit", 135);
    private static final Word NEIGHBOUR_ADVERTISEMENT = new Word("nd-neighbor-advert", 136);
    private static final Word LISTENER_REPORT_2 = new Word("mld2-listener-report", 143);

    private static final NftValue ALL_HOSTS = new NftValue.Address(SpecialRange.BROADCAST.prefix());
    private static final NftValue ALL_DHCP_SERVERS = new NftValue.Address(Prefix.parse("ff02::1:2"));

    private static final String NEIGHBOUR_SET = "neighbours6";
    private static final NftValue LINK_LOCAL =
            Matches.anyOfPrefixes(List.of(SpecialRange.LINK_LOCAL_IPV6.prefix(), Prefix.parse("ff02::/16")));
    private static final Statement OUTBOUND_ICMPV6 = icmpv6(
            LISTENER_REPORT,
            LISTENER_DONE,
            ROUTER_SOLICITATION,
            NEIGHBOUR_SOLICITATION,
            NEIGHBOUR_ADVERTISEMENT,
            LISTENER_REPORT_2);

    private LinkEssentials() {}

    /**
     * Returns the set of IPv6 networks with neighbours.
     *
     * @param onLink networks that neighbours are in, in addition to link-local addresses
     */
    static List<NamedSet> sets(List<Prefix> onLink) {
        List<Prefix> ipv6 = ipv6(onLink);
        return ipv6.isEmpty()
                ? List.of()
                : List.of(new NamedSet(
                        NEIGHBOUR_SET,
                        List.of(NamedSet.Part.IPV6),
                        true,
                        DisjointPrefixes.of(ipv6).stream()
                                .<NftValue>map(NftValue.Address::new)
                                .toList()));
    }

    /** Returns the networks of the uplinks, and gateways that are in none of them. */
    public static List<Prefix> onLink(Machine machine) {
        return Stream.concat(
                        machine.connected().stream(),
                        machine.uplinks().values().stream()
                                .flatMap(uplink -> uplink.gateway().stream())
                                .map(Prefix::host))
                .toList();
    }

    private static List<Prefix> ipv6(List<Prefix> onLink) {
        return onLink.stream()
                .filter(prefix -> prefix.family() == Family.IPV6 && !prefix.isDefault())
                .toList();
    }

    /**
     * Returns the rules for outgoing packets. ICMPv6 is limited to destinations on the link: otherwise a process that may create
     * such packets could send any data to any address in them.
     *
     * @param onLink networks that neighbours are in, in addition to link-local addresses
     */
    static List<NftRule> output(List<Prefix> onLink) {
        List<NftRule> rules = new ArrayList<>();
        rules.add(NftRule.of(
                "neighbour discovery and multicast listener reports",
                toAddress(Family.IPV6, LINK_LOCAL),
                OUTBOUND_ICMPV6,
                Verdict.ACCEPT));
        if (!ipv6(onLink).isEmpty()) {
            rules.add(NftRule.of(
                    "neighbour discovery in the link's networks",
                    toAddress(Family.IPV6, new NftValue.In(NEIGHBOUR_SET)),
                    OUTBOUND_ICMPV6,
                    Verdict.ACCEPT));
        }
        rules.addAll(dhcpRequests());
        return rules;
    }

    private static List<NftRule> dhcpRequests() {
        return List.of(
                NftRule.of(
                        "DHCP requests",
                        toAddress(Family.IPV4, ALL_HOSTS),
                        fromUdpPort(68),
                        toUdpPort(67),
                        Verdict.ACCEPT),
                NftRule.of(
                        "DHCPv6 requests",
                        toAddress(Family.IPV6, ALL_DHCP_SERVERS),
                        fromUdpPort(546),
                        toUdpPort(547),
                        Verdict.ACCEPT));
    }

    static List<NftRule> input() {
        List<NftRule> rules = new ArrayList<>();
        rules.add(NftRule.of(
                "neighbour discovery and router advertisements",
                icmpv6(LISTENER_QUERY, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT),
                Verdict.ACCEPT));
        rules.addAll(dhcpReplies(""));
        return rules;
    }

    /**
     * Returns the rules that match DHCP replies. They come from any address, so nothing may be sent back to their source.
     *
     * @param suffix makes the rules' comments unique in their table
     */
    static List<NftRule> dhcpReplies(String suffix) {
        return List.of(
                NftRule.of("DHCP replies" + suffix, fromUdpPort(67), toUdpPort(68), Verdict.ACCEPT),
                NftRule.of("DHCPv6 replies" + suffix, fromUdpPort(547), toUdpPort(546), Verdict.ACCEPT));
    }
}
