package io.culvert.plan;

import static io.culvert.plan.Match.fromUdpPort;
import static io.culvert.plan.Match.icmpv6;
import static io.culvert.plan.Match.sentTo;
import static io.culvert.plan.Match.toUdpPort;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Value;
import io.culvert.nft.Value.Word;
import java.util.List;

/**
 * What an uplink needs to stay one: neighbours, routers, leases. Types of RFC 4861, 2710 and 3810; the ports are DHCP's (RFC
 * 2131, RFC 8415). DHCP goes to all servers of the wire only: a renewal by unicast is rejected, and the client then asks all.
 */
final class AddressKeeping {

    private static final Word LISTENER_QUERY = new Word("mld-listener-query", 130);
    private static final Word LISTENER_REPORT = new Word("mld-listener-report", 131);
    private static final Word LISTENER_DONE = new Word("mld-listener-done", 132);
    private static final Word ROUTER_SOLICITATION = new Word("nd-router-solicit", 133);
    private static final Word ROUTER_ADVERTISEMENT = new Word("nd-router-advert", 134);
    private static final Word NEIGHBOUR_SOLICITATION = new Word("nd-neighbor-solicit", 135);
    private static final Word NEIGHBOUR_ADVERTISEMENT = new Word("nd-neighbor-advert", 136);
    private static final Word LISTENER_REPORT_2 = new Word("mld2-listener-report", 143);

    private static final Value ALL_HOSTS = new Value.Address(Prefix.parse("255.255.255.255"));
    private static final Value ALL_DHCP_SERVERS = new Value.Address(Prefix.parse("ff02::1:2"));

    private AddressKeeping() {}

    static List<Rule> outward() {
        return List.of(
                Rule.of(
                        "neighbour discovery and multicast listening",
                        icmpv6(
                                LISTENER_REPORT,
                                LISTENER_DONE,
                                ROUTER_SOLICITATION,
                                NEIGHBOUR_SOLICITATION,
                                NEIGHBOUR_ADVERTISEMENT,
                                LISTENER_REPORT_2),
                        Verdict.ACCEPT),
                Rule.of(
                        "DHCP requests",
                        sentTo(Family.IPV4, ALL_HOSTS),
                        fromUdpPort(68),
                        toUdpPort(67),
                        Verdict.ACCEPT),
                Rule.of(
                        "DHCPv6 requests",
                        sentTo(Family.IPV6, ALL_DHCP_SERVERS),
                        fromUdpPort(546),
                        toUdpPort(547),
                        Verdict.ACCEPT));
    }

    static List<Rule> inward() {
        return List.of(
                Rule.of(
                        "neighbours and routers",
                        icmpv6(LISTENER_QUERY, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT),
                        Verdict.ACCEPT),
                Rule.of("DHCP answers", fromUdpPort(67), toUdpPort(68), Verdict.ACCEPT),
                Rule.of("DHCPv6 answers", fromUdpPort(547), toUdpPort(546), Verdict.ACCEPT));
    }
}
