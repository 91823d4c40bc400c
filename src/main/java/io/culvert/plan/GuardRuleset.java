package io.culvert.plan;

import io.culvert.ip.Family;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.Field.Property;
import io.culvert.nft.NamedSet;
import io.culvert.nft.Rule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import io.culvert.nft.Value;
import io.culvert.plan.GuardInput.Scope;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Builds the nftables ruleset of the kill switch: which packets may pass which link. It does not depend on the routing rules, nor
 * they on it.
 */
public final class GuardRuleset {

    public static final Table.Id TABLE = new Table.Id(Table.Family.INET, "culvert");
    public static final Table.Id ARP_TABLE = new Table.Id(Table.Family.ARP, "culvert");

    /** All tables that may be ours, for {@code Nftables.remove}. */
    public static final List<Table.Id> ALL = List.of(TABLE, ARP_TABLE);

    /** Before the filter chains of other programs, at 0. */
    static final int PRIORITY = -10;

    private GuardRuleset() {}

    /** Returns the kill switch of a running tunnel. */
    public static List<Table> of(GuardInput input) {
        List<Chain> chains = new ArrayList<>();
        Inward inward = new Inward(input);
        Forwarding forwarding = new Forwarding(input);
        NameQueries queries = new NameQueries(input);
        inward.spoofed().ifPresent(chains::add);
        queries.ofMeshClients().ifPresent(chains::add);
        Inbound inbound = new Inbound(input);
        if (input.scope() == Scope.NODE) {
            chains.add(inward.input());
        }
        chains.add(inbound.local());
        chains.add(forwarding.segmentSize());
        chains.add(forwarding.forward());
        inbound.forwarded().ifPresent(chains::add);
        queries.ofLocalProcesses().ifPresent(chains::add);
        chains.addAll(new Outward(input).chains());
        if (input.scope() == Scope.NODE) {
            forwarding.translation().ifPresent(chains::add);
        }
        queries.sources().ifPresent(chains::add);
        List<NamedSet> sets = new ArrayList<>(new Lan(input.lan()).sets());
        sets.addAll(new Holes(input.holes()).sets());
        sets.addAll(new MeshReach(input).sets());
        sets.addAll(AddressKeeping.sets(input.onLink()));
        sets.addAll(new Servers(input).sets());
        sets.addAll(inbound.sets());
        List<Table> tables = new ArrayList<>();
        tables.add(new Table(TABLE, sets, chains));
        List<InetAddress> silent = input.innerAddresses(Family.IPV4);
        if (!silent.isEmpty()) {
            tables.add(arp(silent));
        }
        return tables;
    }

    /**
     * Returns the kill switch before anything is known: it allows only loopback, what keeps addresses valid, and replies to
     * inbound connections.
     */
    public static List<Table> closed() {
        return List.of(new Table(
                TABLE,
                List.of(),
                List.of(
                        Inward.closed(),
                        Chain.base("forward", Chain.Type.FILTER, Hook.FORWARD, PRIORITY, Policy.DROP, List.of()),
                        Outward.uplink(Outward.closed()),
                        Outward.output(List.of(Outward.toThisMachine())),
                        Outward.postrouting(List.of("lo"), List.of()))));
    }

    /** Returns the display name of a family. */
    static String name(Family family) {
        return family == Family.IPV4 ? "IPv4" : "IPv6";
    }

    /** Returns the table that neither answers ARP requests for addresses of tunnel and mesh nor announces them. */
    private static Table arp(List<InetAddress> silent) {
        Value addresses = Match.oneOf(silent);
        return new Table(
                ARP_TABLE,
                List.of(),
                List.of(
                        Chain.base(
                                "input",
                                Chain.Type.FILTER,
                                Hook.INPUT,
                                0,
                                Policy.ACCEPT,
                                List.of(Rule.of(
                                        "ARP for a tunnel or mesh address",
                                        Statement.is(Property.ARP_TARGET, addresses),
                                        Verdict.DROP))),
                        Chain.base(
                                "output",
                                Chain.Type.FILTER,
                                Hook.OUTPUT,
                                0,
                                Policy.ACCEPT,
                                List.of(Rule.of(
                                        "ARP from a tunnel or mesh address",
                                        Statement.is(Property.ARP_SENDER, addresses),
                                        Verdict.DROP)))));
    }
}
