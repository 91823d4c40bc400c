package io.culvert.plan;

import static io.culvert.plan.Match.beginsTcp;
import static io.culvert.plan.Match.cameBy;
import static io.culvert.plan.Match.connectionLacks;
import static io.culvert.plan.Match.isOriginal;
import static io.culvert.plan.Match.leavesBy;
import static io.culvert.plan.Match.over;

import io.culvert.ip.Transport;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.Field.Property;
import io.culvert.nft.NamedSet;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.MarkConnection;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Value;
import io.culvert.nft.Value.Word;
import io.culvert.plan.GuardInput.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Builds the chains that mark connections whose first packet came in from an uplink: replies are allowed only to these.
 * Connections from before the kill switch have no mark, whichever side initiated them, and end.
 */
final class Inbound {

    /** After the chains that filter inbound packets, so that only accepted ones are seen. */
    private static final int PRIORITY = GuardRuleset.PRIORITY + 1;

    private static final String EARLIER = "earlier_udp";

    /**
     * Longer than connection tracking keeps a UDP flow ({@code nf_conntrack_udp_timeout_stream}, 120 s): a flow that was idle for
     * longer counts as a new one.
     */
    private static final int EARLIER_SECONDS = 180;

    private static final Word ECHO_REQUEST = new Word("echo-request", 8);
    private static final Word ECHO_REQUEST_6 = new Word("echo-request", 128);

    private final GuardInput input;

    Inbound(GuardInput input) {
        this.input = input;
    }

    List<NamedSet> sets() {
        return input.scope() == Scope.NODE
                ? List.of()
                : List.of(new NamedSet(
                        EARLIER,
                        List.of(NamedSet.Part.PORT),
                        false,
                        EARLIER_SECONDS,
                        input.earlierUdp().stream()
                                .distinct()
                                .sorted()
                                .<Value>map(Value.Decimal::new)
                                .toList()));
    }

    /** Returns the chain for packets to this machine. */
    Chain local() {
        List<String> inside = new ArrayList<>(List.of("lo", input.tunnel().link()));
        inside.addAll(input.meshLinks());
        List<Rule> rules = new ArrayList<>();
        rules.add(Rule.of("not from an uplink", cameBy(inside), Verdict.ACCEPT));
        if (input.scope() == Scope.NODE) {
            // They are not marked, so their senders get no reply: a process may use port 68 without being a DHCP
            // client.
            rules.addAll(AddressKeeping.leaseAnswers(", not marked as inbound"));
        }
        rules.add(Rule.of("new TCP connections", isOriginal(), beginsTcp(), new MarkConnection(Marks.INBOUND)));
        rules.addAll(udp());
        rules.add(Rule.of(
                "echo requests, IPv4", isOriginal(), Match.icmp(ECHO_REQUEST), new MarkConnection(Marks.INBOUND)));
        rules.add(Rule.of(
                "echo requests, IPv6", isOriginal(), Match.icmpv6(ECHO_REQUEST_6), new MarkConnection(Marks.INBOUND)));
        return Chain.base("inbound", Chain.Type.FILTER, Hook.INPUT, PRIORITY, Policy.ACCEPT, rules);
    }

    /**
     * Returns the rules for UDP. A datagram does not show whether it is the first one of its flow. In a node, only packets to
     * published ports or from the LAN get here. On another machine, ports that were in use before the kill switch are skipped
     * until connection tracking has forgotten their flows.
     */
    private List<Rule> udp() {
        Statement begins = isOriginal();
        if (input.scope() == Scope.NODE) {
            return List.of(Rule.of("new UDP flows", begins, over(Transport.UDP), new MarkConnection(Marks.INBOUND)));
        }
        return List.of(
                Rule.of(
                        "UDP flows that may predate the kill switch",
                        begins,
                        Statement.is(Property.UDP_DESTINATION_PORT, new Value.In(EARLIER)),
                        connectionLacks(Marks.INBOUND),
                        new MarkConnection(Marks.EARLIER)),
                Rule.of(
                        "new UDP flows",
                        begins,
                        over(Transport.UDP),
                        connectionLacks(Marks.EARLIER),
                        new MarkConnection(Marks.INBOUND)));
    }

    /** Returns the chain that marks what other machines send through the tunnel, so that they get replies. */
    Optional<Chain> forwarded() {
        return input.scope() == Scope.NODE
                ? Optional.empty()
                : Optional.of(Chain.base(
                        "inbound_forwarded",
                        Chain.Type.FILTER,
                        Hook.FORWARD,
                        PRIORITY,
                        Policy.ACCEPT,
                        List.of(Rule.of(
                                "new connections into the tunnel",
                                leavesBy(input.tunnel().link()),
                                isOriginal(),
                                new MarkConnection(Marks.INBOUND)))));
    }
}
