// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.connectionWithoutMark;
import static io.culvert.firewall.Matches.fromLink;
import static io.culvert.firewall.Matches.isOriginal;
import static io.culvert.firewall.Matches.isTcpSyn;
import static io.culvert.firewall.Matches.isTransport;
import static io.culvert.firewall.Matches.toLink;

import io.culvert.firewall.KillSwitchInput.Scope;
import io.culvert.net.Marks;
import io.culvert.net.Transport;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.MatchField.Property;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.NftValue.Word;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.MarkConnection;
import io.culvert.nft.Statement.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Builds the chains that mark connections whose first packet came in from an uplink: replies are allowed only to these.
 * Connections from before the kill switch have no mark, whichever side initiated them, and end.
 */
final class InboundConnections {

    /** After the chains that filter inbound packets, so that only accepted ones are seen. */
    private static final int PRIORITY = KillSwitchRuleset.PRIORITY + 1;

    private static final String EARLIER_UDP_SET = "earlier_udp";

    /**
     * Longer than connection tracking keeps a UDP flow ({@code nf_conntrack_udp_timeout_stream}, 120 s): a flow that was idle for
     * longer counts as a new one.
     */
    private static final int EARLIER_UDP_SECONDS = 180;

    private static final Word ECHO_REQUEST = new Word("echo-request", 8);
    private static final Word ECHO_REQUEST_6 = new Word("echo-request", 128);

    private final KillSwitchInput input;

    InboundConnections(KillSwitchInput input) {
        this.input = input;
    }

    List<NamedSet> sets() {
        return input.scope() == Scope.NODE
                ? List.of()
                : List.of(new NamedSet(
                        EARLIER_UDP_SET,
                        List.of(NamedSet.Part.PORT),
                        false,
                        EARLIER_UDP_SECONDS,
                        input.earlierUdpPorts().stream()
                                .distinct()
                                .sorted()
                                .<NftValue>map(NftValue.Decimal::new)
                                .toList()));
    }

    /** Returns the chain for packets to this machine. */
    Chain local() {
        List<String> innerLinks = new ArrayList<>(List.of("lo", input.tunnel().link()));
        innerLinks.addAll(input.meshLinks());
        List<NftRule> rules = new ArrayList<>();
        rules.add(NftRule.of("not from an uplink", fromLink(innerLinks), Verdict.ACCEPT));
        if (input.scope() == Scope.NODE) {
            // They are not marked, so their senders get no reply: a process may use port 68 without being a DHCP
            // client.
            rules.addAll(LinkEssentials.dhcpReplies(", not marked as inbound"));
        }
        rules.add(NftRule.of("new TCP connections", isOriginal(), isTcpSyn(), new MarkConnection(Marks.INBOUND)));
        rules.addAll(udp());
        rules.add(NftRule.of(
                "echo requests, IPv4", isOriginal(), Matches.icmp(ECHO_REQUEST), new MarkConnection(Marks.INBOUND)));
        rules.add(NftRule.of(
                "echo requests, IPv6",
                isOriginal(),
                Matches.icmpv6(ECHO_REQUEST_6),
                new MarkConnection(Marks.INBOUND)));
        return Chain.filter("inbound", Hook.INPUT, PRIORITY, Policy.ACCEPT, rules);
    }

    /**
     * Returns the rules for UDP. A datagram does not show whether it is the first one of its flow. In a node, only packets to
     * published ports or from the LAN get here. On another machine, ports that were in use before the kill switch are skipped
     * until their flows have expired in connection tracking.
     */
    private List<NftRule> udp() {
        Statement isOriginal = isOriginal();
        if (input.scope() == Scope.NODE) {
            return List.of(NftRule.of(
                    "new UDP flows", isOriginal, isTransport(Transport.UDP), new MarkConnection(Marks.INBOUND)));
        }
        return List.of(
                NftRule.of(
                        "UDP flows that may predate the kill switch",
                        isOriginal,
                        Statement.is(Property.UDP_DESTINATION_PORT, new NftValue.In(EARLIER_UDP_SET)),
                        connectionWithoutMark(Marks.INBOUND),
                        new MarkConnection(Marks.BEFORE_KILL_SWITCH)),
                NftRule.of(
                        "new UDP flows",
                        isOriginal,
                        isTransport(Transport.UDP),
                        connectionWithoutMark(Marks.BEFORE_KILL_SWITCH),
                        new MarkConnection(Marks.INBOUND)));
    }

    /** Returns the chain that marks what other machines send through the tunnel, so that they get replies. */
    Optional<Chain> forwarded() {
        return input.scope() == Scope.NODE
                ? Optional.empty()
                : Optional.of(Chain.filter(
                        "inbound_forwarded",
                        Hook.FORWARD,
                        PRIORITY,
                        Policy.ACCEPT,
                        List.of(NftRule.of(
                                "new connections into the tunnel",
                                toLink(input.tunnel().link()),
                                isOriginal(),
                                new MarkConnection(Marks.INBOUND)))));
    }
}
