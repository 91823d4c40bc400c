// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import io.culvert.firewall.KillSwitchInput.Scope;
import io.culvert.net.Family;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.MatchField.Property;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Builds the nftables ruleset of the kill switch: which packets may pass which link. It does not depend on the routing
 * rules, nor they on it.
 */
public final class KillSwitchRuleset {

    public static final Table.Id TABLE = new Table.Id(Table.Family.INET, "culvert");
    public static final Table.Id ARP_TABLE = new Table.Id(Table.Family.ARP, "culvert");

    /** The table of {@link #blockAfterLeak}. */
    public static final Table.Id LEAK_TABLE = new Table.Id(Table.Family.INET, "culvert-leak");

    /** All tables that may be Culvert's, for {@code Nftables.remove}. */
    public static final List<Table.Id> ALL = List.of(TABLE, ARP_TABLE, LEAK_TABLE);

    /** Before the filter chains of other programs, at 0. */
    public static final int PRIORITY = -10;

    private KillSwitchRuleset() {}

    /** Returns the kill switch of a running tunnel. */
    public static List<Table> of(KillSwitchInput input) {
        List<Chain> chains = new ArrayList<>();
        InputRules inputRules = new InputRules(input);
        ForwardRules forwarding = new ForwardRules(input);
        DnsRedirect dnsRedirect = new DnsRedirect(input);
        inputRules.antiSpoofing().ifPresent(chains::add);
        dnsRedirect.forMeshClients().ifPresent(chains::add);
        GatewayClients gateway = new GatewayClients(input);
        gateway.dnsRedirect().ifPresent(chains::add);
        InboundConnections inbound = new InboundConnections(input);
        if (input.scope() == Scope.NODE) {
            chains.add(inputRules.input());
        }
        chains.add(inbound.local());
        chains.add(forwarding.mssClamping());
        chains.add(forwarding.forward());
        inbound.forwarded().ifPresent(chains::add);
        dnsRedirect.forLocalProcesses().ifPresent(chains::add);
        chains.addAll(new OutputRules(input).chains());
        if (input.scope() == Scope.NODE) {
            forwarding.sourceNat().ifPresent(chains::add);
        }
        dnsRedirect.sourceAddresses().ifPresent(chains::add);
        List<NamedSet> sets = new ArrayList<>(new LocalNetworks(input.lan()).sets());
        sets.addAll(new Bypasses(input.bypasses()).sets());
        sets.addAll(new MeshDestinations(input).sets());
        sets.addAll(LinkEssentials.sets(input.onLink()));
        sets.addAll(new Servers(input).sets());
        sets.addAll(gateway.sets());
        sets.addAll(inbound.sets());
        List<Table> tables = new ArrayList<>();
        tables.add(new Table(TABLE, sets, chains));
        List<InetAddress> innerAddresses = input.innerAddresses(Family.IPV4);
        if (!innerAddresses.isEmpty()) {
            tables.add(arp(innerAddresses));
        }
        return tables;
    }

    /**
     * Returns the ruleset that is applied before there is a plan: it allows only loopback, what keeps addresses valid,
     * and replies to inbound connections.
     */
    public static List<Table> lockdown() {
        return List.of(new Table(
                TABLE,
                List.of(),
                List.of(
                        InputRules.lockdown(),
                        Chain.filter("forward", Hook.FORWARD, PRIORITY, Policy.DROP, List.of()),
                        OutputRules.uplink(OutputRules.lockdown()),
                        OutputRules.output(List.of(OutputRules.toLoopback())),
                        OutputRules.postrouting(List.of("lo"), List.of()))));
    }

    /**
     * Returns the table that blocks all traffic after a leak, the tunnel's own packets too; it allows only loopback, and what keeps
     * addresses valid. It is a table of its own, as something is wrong with the other one: it works even if another program holds
     * that one. Its chain is the last one but the kernel's own connection tracking, at the largest priority: so a leak test shows what
     * the kill switch alone would let out, while this lets out nothing.
     */
    public static List<Table> blockAfterLeak() {
        List<NftRule> rules = new ArrayList<>();
        rules.add(OutputRules.toLoopback());
        rules.addAll(LinkEssentials.output(List.of()));
        rules.add(NftRule.of("blocked after a leak", new Counter(), Verdict.DROP));
        return List.of(new Table(
                LEAK_TABLE,
                List.of(),
                List.of(Chain.filter("blocked", Hook.POSTROUTING, Integer.MAX_VALUE - 1, Policy.DROP, rules))));
    }

    /** Returns the table that neither responds to ARP requests for addresses of tunnel and mesh nor announces them. */
    private static Table arp(List<InetAddress> innerAddresses) {
        NftValue addresses = Matches.anyOfAddresses(innerAddresses);
        return new Table(
                ARP_TABLE,
                List.of(),
                List.of(
                        Chain.filter(
                                "input",
                                Hook.INPUT,
                                0,
                                Policy.ACCEPT,
                                List.of(NftRule.of(
                                        "ARP for a tunnel or mesh address",
                                        Statement.is(Property.ARP_TARGET, addresses),
                                        Verdict.DROP))),
                        Chain.filter(
                                "output",
                                Hook.OUTPUT,
                                0,
                                Policy.ACCEPT,
                                List.of(NftRule.of(
                                        "ARP from a tunnel or mesh address",
                                        Statement.is(Property.ARP_SENDER, addresses),
                                        Verdict.DROP)))));
    }
}
