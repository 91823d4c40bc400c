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
 * Marks the connections whose beginning came in by an uplink: only they are replied to. What was connected before the kill
 * switch stood has no mark, whoever began it, and ends.
 */
final class Inbound {

    /** Behind the chains that decide what comes in, so that only what they accepted is seen. */
    private static final int PRIORITY = GuardRuleset.PRIORITY + 1;

    private static final String EARLIER = "earlier_udp";

    /**
     * As long as connection tracking remembers a conversation over UDP ({@code nf_conntrack_udp_timeout_stream}, 120 s): what
     * was silent for longer begins again.
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

    /** What is for this machine. */
    Chain local() {
        List<String> inside = new ArrayList<>(List.of("lo", input.tunnel().link()));
        inside.addAll(input.meshLinks());
        List<Rule> rules = new ArrayList<>();
        rules.add(Rule.of("not by an uplink", cameBy(inside), Verdict.ACCEPT));
        if (input.scope() == Scope.NODE) {
            // Whoever sends one is not replied to: a process may have the client's port without being a DHCP client.
            rules.addAll(AddressKeeping.leaseAnswers(" are not replied to"));
        }
        rules.add(Rule.of("TCP connections that begin", isOriginal(), beginsTcp(), new MarkConnection(Marks.INBOUND)));
        rules.addAll(udp());
        rules.add(Rule.of("pings, IPv4", isOriginal(), Match.icmp(ECHO_REQUEST), new MarkConnection(Marks.INBOUND)));
        rules.add(
                Rule.of("pings, IPv6", isOriginal(), Match.icmpv6(ECHO_REQUEST_6), new MarkConnection(Marks.INBOUND)));
        return Chain.base("inbound", Chain.Type.FILTER, Hook.INPUT, PRIORITY, Policy.ACCEPT, rules);
    }

    /**
     * A datagram does not say whether others went before it. In a node only published ports and the LAN come this far; on
     * another machine, the ports that were in use before are passed over until what was said there is forgotten.
     */
    private List<Rule> udp() {
        Statement begins = isOriginal();
        if (input.scope() == Scope.NODE) {
            return List.of(Rule.of("UDP", begins, over(Transport.UDP), new MarkConnection(Marks.INBOUND)));
        }
        return List.of(
                Rule.of(
                        "UDP that may have begun before",
                        begins,
                        Statement.is(Property.UDP_DESTINATION_PORT, new Value.In(EARLIER)),
                        connectionLacks(Marks.INBOUND),
                        new MarkConnection(Marks.EARLIER)),
                Rule.of(
                        "UDP",
                        begins,
                        over(Transport.UDP),
                        connectionLacks(Marks.EARLIER),
                        new MarkConnection(Marks.INBOUND)));
    }

    /** What others send through the tunnel, so that they get their replies. */
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
                                "into the tunnel",
                                leavesBy(input.tunnel().link()),
                                isOriginal(),
                                new MarkConnection(Marks.INBOUND)))));
    }
}
