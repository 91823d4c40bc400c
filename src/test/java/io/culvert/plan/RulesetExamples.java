// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static io.culvert.nft.Statement.is;
import static io.culvert.nft.Statement.isNot;

import io.culvert.firewall.ForwardingPolicy;
import io.culvert.firewall.KillSwitchExamples;
import io.culvert.net.Family;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.networkfile.Forward;
import io.culvert.networkfile.Forward.Direction;
import io.culvert.nft.Chain;
import io.culvert.nft.MatchField.Joined;
import io.culvert.nft.MatchField.Masked;
import io.culvert.nft.MatchField.Property;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftRule;
import io.culvert.nft.NftValue;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Verdict;
import io.culvert.nft.Table;
import io.culvert.rtnl.Ipv6;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Every kind of ruleset that Culvert applies, and one with every form that a rule or set can have. */
public final class RulesetExamples {

    private RulesetExamples() {}

    public static Map<String, List<Table>> all() {
        Map<String, List<Table>> all = new LinkedHashMap<>();
        KillSwitchExamples.all().forEach((name, tables) -> all.put("kill switch: " + name, tables));
        PlanExamples.all()
                .forEach((name, inputs) ->
                        all.put("plan: " + name, ExitNodePlanner.plan(inputs).ruleset()));
        all.put("tunnel", tunnel(Set.of()));
        all.put("tunnel with earlier UDP flows", tunnel(Set.of(53, 4500)));
        all.put("namespace", namespace());
        all.put(
                "forwarding policy",
                List.of(ForwardingPolicy.of(
                                "hub",
                                List.of(new Forward(
                                        Direction.EXIT,
                                        "home",
                                        prefixes("10.8.0.2/32", "fd08::2/128"),
                                        prefixes("0.0.0.0/0", "::/0"),
                                        true)),
                                Set.of("home", "work"))
                        .orElseThrow()
                        .withSavedValues(Set.of("net/ipv4/ip_forward was 0"))));
        all.put("every form", List.of(everyForm(), arp()));
        return all;
    }

    private static List<Table> tunnel(Set<Integer> udpPorts) {
        return TunnelPlan.of(TunnelInputs.of(
                        TunnelExamples.file("wg0", "0.0.0.0/0, ::/0", ""),
                        TunnelExamples.machine(false),
                        (_, _) -> OptionalInt.empty(),
                        it -> {
                            it.udpPorts = udpPorts;
                            it.killSwitch = true;
                        }))
                .ruleset();
    }

    private static List<Table> namespace() {
        return NamespacePlan.of(
                        TunnelExamples.file("wg0", "0.0.0.0/0, ::/0", "DNS = 10.64.0.1"),
                        TunnelExamples.machine(false),
                        ResolvedNames.NONE,
                        (_, _) -> OptionalInt.of(1500),
                        Ipv6.ENABLED,
                        OptionalInt.empty(),
                        List.of(new Port(8080, Transport.TCP)))
                .ruleset();
    }

    private static Table everyForm() {
        NftValue dns = new NftValue.Decimal(53);
        NftValue tcp = NftValue.Word.of(Transport.TCP);
        NftValue udp = NftValue.Word.of(Transport.UDP);
        List<NamedSet> sets = List.of(
                new NamedSet("hosts4", List.of(NamedSet.Part.IPV4), false, List.of(address("192.0.2.1"))),
                new NamedSet(
                        "networks4",
                        List.of(NamedSet.Part.IPV4),
                        true,
                        addresses("192.0.2.0/25", "192.0.2.128/25", "198.51.100.7/32", "255.255.255.0/24")),
                new NamedSet("networks6", List.of(NamedSet.Part.IPV6), true, addresses("2001:db8::/33", "ff02::/16")),
                new NamedSet("empty6", List.of(NamedSet.Part.IPV6), true, List.of()),
                new NamedSet("protocols", List.of(NamedSet.Part.TRANSPORT), false, List.of(tcp, udp)),
                new NamedSet("expiring", List.of(NamedSet.Part.PORT), false, 180, List.of(dns)),
                new NamedSet(
                        "services4",
                        List.of(NamedSet.Part.IPV4, NamedSet.Part.PORT),
                        false,
                        List.of(NftValue.Tuple.of(address("192.0.2.1"), dns))),
                new NamedSet(
                        "by_port4",
                        List.of(NamedSet.Part.IPV4, NamedSet.Part.TRANSPORT, NamedSet.Part.PORT),
                        true,
                        List.of(
                                NftValue.Tuple.of(address("192.0.2.9"), udp, dns),
                                NftValue.Tuple.of(address("203.0.113.0/24"), tcp, dns))),
                new NamedSet(
                        "by_port6",
                        List.of(NamedSet.Part.IPV6, NamedSet.Part.TRANSPORT, NamedSet.Part.PORT),
                        true,
                        List.of(NftValue.Tuple.of(address("2001:db8::/47"), tcp, dns))));
        List<NftRule> rules = new ArrayList<>();
        for (Statement statement : List.of(
                is(Property.MARK, new NftValue.Bits(0x51000000L)),
                isNot(Property.MARK, NftValue.anyOf(new NftValue.Bits(0x51000000L), new NftValue.Bits(0x52000000L))),
                is(new Masked(Property.MARK, 0xff0000), new NftValue.Bits(0x80000)),
                is(Property.INPUT_LINK, new NftValue.Link("eth0")),
                isNot(
                        Property.OUTPUT_LINK,
                        NftValue.anyOf(new NftValue.Link("lo"), new NftValue.Link("wg-0123456789"))),
                is(Property.TRANSPORT, NftValue.anyOf(tcp, udp)),
                is(Property.TRANSPORT, new NftValue.In("protocols")),
                is(Property.FAMILY, NftValue.Word.of(Family.IPV6)),
                is(Property.DIRECTION, NftValue.Word.REPLY),
                isNot(new Masked(Property.CONNECTION_MARK, 0x20000000), new NftValue.Bits(0x20000000)),
                is(Property.IPV4_SOURCE, address("10.0.0.0/8")),
                is(Property.IPV4_SOURCE, address("100.64.0.0/10")),
                isNot(Property.IPV4_DESTINATION, address("192.0.2.1")),
                isNot(Property.IPV4_DESTINATION, address("192.0.2.0/24")),
                is(Property.IPV4_DESTINATION, NftValue.anyOf(addresses("192.0.2.1", "192.0.2.7"))),
                is(Property.IPV4_DESTINATION, NftValue.anyOf(addresses("224.0.0.0/4", "255.255.255.255"))),
                is(Property.IPV4_DESTINATION, new NftValue.In("hosts4")),
                isNot(Property.IPV4_DESTINATION, new NftValue.In("networks4")),
                is(Property.IPV6_SOURCE, address("fe80::/10")),
                is(Property.IPV6_SOURCE, address("2001:db8::/32")),
                is(Property.IPV6_DESTINATION, NftValue.anyOf(addresses("fe80::/10", "ff02::/16"))),
                is(Property.IPV6_DESTINATION, new NftValue.In("networks6")),
                is(Property.ICMP_TYPE, new NftValue.Word("echo-request", 8)),
                is(
                        Property.ICMPV6_TYPE,
                        NftValue.anyOf(
                                new NftValue.Word("nd-neighbor-solicit", 135),
                                new NftValue.Word("nd-neighbor-advert", 136))),
                is(new Masked(Property.TCP_FLAGS, 0x17), new NftValue.Decimal(2)),
                is(Property.TCP_DESTINATION_PORT, NftValue.anyOf(new NftValue.Decimal(80), new NftValue.Decimal(443))),
                isNot(Property.UDP_SOURCE_PORT, dns),
                is(Property.UDP_DESTINATION_PORT, new NftValue.In("expiring")),
                is(Joined.of(Property.IPV4_DESTINATION, Property.UDP_DESTINATION_PORT), new NftValue.In("services4")),
                is(
                        Joined.of(Property.IPV4_DESTINATION, Property.TRANSPORT, Property.DESTINATION_PORT),
                        new NftValue.In("by_port4")),
                is(
                        Joined.of(Property.IPV6_DESTINATION, Property.TRANSPORT, Property.DESTINATION_PORT),
                        new NftValue.In("by_port6")),
                new Statement.MarkConnection(0x20000000),
                new Statement.Counter(),
                new Statement.Jump("regular"),
                new Statement.Reject(),
                Verdict.DROP,
                Verdict.RETURN)) {
            rules.add(NftRule.of("form " + rules.size(), statement));
        }
        rules.add(NftRule.of(
                "family and protocol checked once, neighbouring fields compared together",
                is(Property.IPV4_SOURCE, address("192.0.2.1")),
                is(Property.IPV4_DESTINATION, address("192.0.2.2")),
                is(Property.UDP_SOURCE_PORT, dns),
                is(Property.UDP_DESTINATION_PORT, new NftValue.Decimal(68)),
                Verdict.ACCEPT));
        rules.add(NftRule.of(
                "ports of any protocol",
                is(Property.TRANSPORT, NftValue.anyOf(tcp, udp)),
                is(Property.SOURCE_PORT, dns),
                isNot(Property.DESTINATION_PORT, dns),
                Verdict.ACCEPT));
        List<Chain> chains = List.of(
                Chain.regular("regular", List.of()),
                Chain.filter("raw", Chain.Hook.PREROUTING, -300, Chain.Policy.ACCEPT, List.of()),
                Chain.filter("input", Chain.Hook.INPUT, -10, Chain.Policy.DROP, rules),
                Chain.filter(
                        "mss",
                        Chain.Hook.FORWARD,
                        -150,
                        Chain.Policy.ACCEPT,
                        List.of(NftRule.of("clamp", new Statement.ClampMss()))),
                Chain.base(
                        "destination",
                        Chain.Type.NAT,
                        Chain.Hook.OUTPUT,
                        -110,
                        Chain.Policy.ACCEPT,
                        List.of(
                                NftRule.of(
                                        "redirect", is(Property.UDP_DESTINATION_PORT, dns), new Statement.Redirect(53)),
                                NftRule.of("send, IPv4", new Statement.SendTo(Prefix.parseAddress("10.64.0.1"))),
                                NftRule.of("send, IPv6", new Statement.SendTo(Prefix.parseAddress("fd00:64::1"))))),
                Chain.base(
                        "source",
                        Chain.Type.NAT,
                        Chain.Hook.POSTROUTING,
                        99,
                        Chain.Policy.ACCEPT,
                        List.of(NftRule.of("masquerade", new Statement.Masquerade()))));
        return new Table(new Table.Id(Table.Family.INET, "every_form"), sets, chains);
    }

    private static Table arp() {
        return new Table(
                new Table.Id(Table.Family.ARP, "every_form"),
                List.of(),
                List.of(
                        Chain.filter(
                                "input",
                                Chain.Hook.INPUT,
                                0,
                                Chain.Policy.ACCEPT,
                                List.of(NftRule.of(
                                        "target", is(Property.ARP_TARGET, address("10.64.0.2")), Verdict.DROP))),
                        Chain.filter(
                                "output",
                                Chain.Hook.OUTPUT,
                                0,
                                Chain.Policy.ACCEPT,
                                List.of(NftRule.of(
                                        "sender",
                                        is(Property.ARP_SENDER, NftValue.anyOf(addresses("10.64.0.2", "100.64.0.1"))),
                                        Verdict.DROP)))));
    }

    private static NftValue address(String text) {
        return new NftValue.Address(text.contains("/") ? Prefix.parse(text) : Prefix.host(Prefix.parseAddress(text)));
    }

    private static List<NftValue> addresses(String... texts) {
        return Arrays.stream(texts).map(RulesetExamples::address).toList();
    }

    private static List<Prefix> prefixes(String... texts) {
        return Arrays.stream(texts).map(Prefix::parse).toList();
    }
}
