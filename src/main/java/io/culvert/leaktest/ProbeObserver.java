// SPDX-License-Identifier: Apache-2.0
package io.culvert.leaktest;

import io.culvert.nft.Chain;
import io.culvert.nft.MatchField.Masked;
import io.culvert.nft.MatchField.Property;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.OwnedTable;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Jump;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Counts leak probes that pass the kill switch, and drops them: an nftables chain at the very end of the last hook, so what gets
 * there has passed every rule of every program and would be given to the link next.
 *
 * <p>This is the most direct evidence that {@code CAP_NET_ADMIN} alone can have, and the same for both families, all protocols and
 * every kind of socket:
 *
 * <ul>
 *   <li>A packet socket on the uplink would need {@code CAP_NET_RAW}, which the image's containers do not have.
 *   <li>The errno of the sender is no evidence: it is the same whichever rule drops the packet, and TCP hides it.
 *   <li>Answers, such as ICMP "time exceeded", come only if the packet has really left and a router answers; none proves nothing.
 *   <li>The counters of the kill switch count what it rejects, not what it never sees; those of the link count all other traffic.
 * </ul>
 *
 * <p>The hook runs before {@code send} and {@code connect} return, so nothing has to be waited for. A packet is recognized by its
 * priority, which is its socket's (SO_PRIORITY) and random for each test: addresses, ports and marks may be changed by rules of
 * other programs on the way. As the chain drops the probes, they do not leave even if the kill switch is broken. It has no rule that
 * accepts anything, and in nftables an accepted packet is still evaluated by all other chains; so it opens nothing.
 */
final class ProbeObserver implements AutoCloseable {

    /**
     * After all chains of other programs: connection tracking confirms connections at the largest number
     * (include/uapi/linux/netfilter_ipv4.h: NF_IP_PRI_CONNTRACK_CONFIRM), and the kill switch blocks after a leak one before.
     */
    private static final int PRIORITY = Integer.MAX_VALUE - 2;

    /** The part of the priority that is the number of the probe. */
    private static final int NUMBERS = 0xffff;

    private static final String INSIDE = "inside";
    private static final String OUTSIDE = "outside";

    private final OwnedTable table;
    private final int token;

    /** @param token the upper half of the priority of all probes */
    private ProbeObserver(OwnedTable table, int token) {
        this.table = table;
        this.token = token;
    }

    /**
     * Starts to observe.
     *
     * @param token 1 to 0x7fff, unlikely to be used by another program or test
     * @param count of probes, numbered from 0
     * @param innerLinks tunnel and mesh interfaces
     */
    static ProbeObserver start(int token, int count, Collection<String> innerLinks) {
        return new ProbeObserver(OwnedTable.create(table(token, count, innerLinks)), token);
    }

    private static Table table(int token, int count, Collection<String> innerLinks) {
        Set<String> linkNames = new TreeSet<>(innerLinks);
        linkNames.add("lo");
        NftValue links =
                NftValue.anyOf(linkNames.stream().map(NftValue.Link::new).toList());
        List<NftRule> rules = List.of(
                NftRule.of(
                        "other packets",
                        Statement.isNot(
                                new Masked(Property.PRIORITY, ~NUMBERS & 0xffffffffL),
                                new NftValue.Bits(priority(token, 0))),
                        Verdict.RETURN),
                NftRule.of("to inner links", Statement.is(Property.OUTPUT_LINK, links), new Jump(INSIDE)),
                NftRule.of("to uplinks", new Jump(OUTSIDE)));
        List<NftRule> inside = new ArrayList<>();
        List<NftRule> outside = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            Statement probe = Statement.is(Property.PRIORITY, new NftValue.Bits(priority(token, number)));
            inside.add(NftRule.of(rule(INSIDE, number), probe, new Counter(), Verdict.DROP));
            outside.add(NftRule.of(rule(OUTSIDE, number), probe, new Counter(), Verdict.DROP));
        }
        return new Table(
                new Table.Id(Table.Family.INET, "culvert-leak-test-" + Integer.toHexString(token)),
                List.of(),
                List.of(
                        Chain.filter("observer", Chain.Hook.POSTROUTING, PRIORITY, Chain.Policy.ACCEPT, rules),
                        Chain.regular(INSIDE, inside),
                        Chain.regular(OUTSIDE, outside)));
    }

    private static int priority(int token, int number) {
        return token << 16 | number;
    }

    /** Returns the comment of the rule that counts a probe in one of the chains. */
    private static String rule(String chain, int number) {
        return "probe " + number + " " + chain;
    }

    /** Returns the priority that the socket of a probe has to have. */
    int priority(int number) {
        return priority(token, number);
    }

    /** What was seen so far. */
    record Sightings(Map<String, Long> packets) {

        Sightings {
            packets = Map.copyOf(packets);
        }

        /** Returns whether a probe was about to leave by loopback, tunnel or mesh. */
        boolean inside(int number) {
            return packets.getOrDefault(rule(INSIDE, number), 0L) > 0;
        }

        /** Returns whether a probe was about to leave by any other link. */
        boolean outside(int number) {
            return packets.getOrDefault(rule(OUTSIDE, number), 0L) > 0;
        }
    }

    Sightings sightings() {
        return new Sightings(table.counters());
    }

    @Override
    public void close() {
        table.close();
    }
}
