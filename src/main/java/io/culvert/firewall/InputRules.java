// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.anyOfAddresses;
import static io.culvert.firewall.Matches.anyOfPrefixes;
import static io.culvert.firewall.Matches.fromLink;
import static io.culvert.firewall.Matches.isReply;
import static io.culvert.firewall.Matches.isTcpOrUdp;
import static io.culvert.firewall.Matches.notFromLink;
import static io.culvert.firewall.Matches.toAddress;
import static io.culvert.firewall.Matches.toPort;
import static io.culvert.firewall.Matches.toPorts;

import io.culvert.net.Family;
import io.culvert.net.Port;
import io.culvert.net.SpecialRange;
import io.culvert.net.Transport;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.NftRule;
import io.culvert.nft.Statement.Counter;
import io.culvert.nft.Statement.Verdict;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Builds the chains for inbound packets. */
final class InputRules {

    /** Before connection tracking, which is at -200. */
    private static final int RAW = -300;

    private final KillSwitchInput input;

    InputRules(KillSwitchInput input) {
        this.input = input;
    }

    /**
     * Returns the anti-spoofing chain: packets to an address of tunnel or mesh must come from its own link. Otherwise LAN hosts
     * could probe for the address and inject packets into connections (CVE-2019-14899).
     */
    Optional<Chain> antiSpoofing() {
        List<NftRule> rules = new ArrayList<>();
        rules.addAll(
                antiSpoofing("tunnel", input.tunnel().link(), input.tunnel().addresses()));
        for (KillSwitchInput.Mesh mesh : input.meshes()) {
            String meshLabel = input.meshes().size() == 1 ? "mesh" : "mesh " + mesh.link();
            rules.addAll(antiSpoofing(meshLabel, mesh.link(), mesh.addresses()));
        }
        return rules.isEmpty() ? Optional.empty() : Optional.of(antiSpoofing(rules));
    }

    static Chain antiSpoofing(List<NftRule> rules) {
        return Chain.filter("anti_spoofing", Hook.PREROUTING, RAW, Policy.ACCEPT, rules);
    }

    static List<NftRule> antiSpoofing(String meshLabel, String link, List<InetAddress> addresses) {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> ofFamily = addresses.stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (!ofFamily.isEmpty()) {
                rules.add(NftRule.of(
                        "anti-spoofing: to the address of the " + meshLabel + " from another link, " + family.text(),
                        notFromLink(link, "lo"),
                        toAddress(family, anyOfAddresses(ofFamily)),
                        new Counter(),
                        Verdict.DROP));
            }
        }
        return rules;
    }

    Chain input() {
        List<NftRule> rules = new ArrayList<>();
        rules.add(loopback());
        if (!input.loopbackPorts().isEmpty()) {
            // With the sysctl route_localnet, the kernel accepts packets to 127.0.0.0/8 from other links. The
            // destination
            // here is the translated one, so that no translation of another program leads there either.
            rules.add(NftRule.of(
                    "nothing else to the HTTP control server on loopback",
                    toAddress(Family.IPV4, anyOfPrefixes(List.of(SpecialRange.LOOPBACK_IPV4.prefix()))),
                    toPorts(Transport.TCP, input.loopbackPorts()),
                    new Counter(),
                    Verdict.DROP));
        }
        String tunnel = input.tunnel().link();
        rules.add(NftRule.of("replies from the tunnel", fromLink(tunnel), isReply(), Verdict.ACCEPT));
        input.forwardedPort()
                .ifPresent(port -> rules.add(NftRule.of(
                        "to the forwarded port from the tunnel",
                        fromLink(tunnel),
                        isTcpOrUdp(),
                        toPort(port),
                        Verdict.ACCEPT)));
        rules.add(NftRule.of("nothing else from the tunnel", fromLink(tunnel), new Counter(), Verdict.DROP));
        if (!input.meshes().isEmpty()) {
            rules.add(NftRule.of("from the mesh", fromLink(input.meshLinks()), Verdict.ACCEPT));
        }
        rules.add(replies());
        // A server may respond from another address or port than its endpoint: WireGuard accepts any packet that is
        // authenticated by its key.
        input.tunnel()
                .port()
                .ifPresent(port -> rules.add(NftRule.of(
                        "to the tunnel's UDP port, from any address",
                        toPorts(Transport.UDP, List.of(port)),
                        Verdict.ACCEPT)));
        rules.addAll(LinkEssentials.input());
        for (Transport transport : Transport.values()) {
            TreeSet<Integer> ports = new TreeSet<>();
            input.published().stream()
                    .filter(port -> port.transport() == transport)
                    .map(Port::number)
                    .forEach(ports::add);
            if (transport == Transport.UDP) {
                input.meshes().forEach(mesh -> mesh.port().ifPresent(ports::add));
            }
            if (!ports.isEmpty()) {
                rules.add(
                        NftRule.of("to published " + transport + " ports", toPorts(transport, ports), Verdict.ACCEPT));
            }
        }
        rules.addAll(new GatewayClients(input).input());
        rules.addAll(new LocalNetworks(input.lan()).inputRules());
        rules.add(dropped());
        return chain(rules);
    }

    static Chain lockdown() {
        List<NftRule> rules = new ArrayList<>();
        rules.add(loopback());
        rules.add(replies());
        rules.addAll(LinkEssentials.input());
        rules.add(dropped());
        return chain(rules);
    }

    private static NftRule loopback() {
        return NftRule.of("from loopback", fromLink("lo"), Verdict.ACCEPT);
    }

    private static NftRule replies() {
        return NftRule.of("replies from the uplink", isReply(), Verdict.ACCEPT);
    }

    private static NftRule dropped() {
        return NftRule.of("nothing else from the uplink", new Counter(), Verdict.DROP);
    }

    private static Chain chain(List<NftRule> rules) {
        return Chain.filter("input", Hook.INPUT, KillSwitchRuleset.PRIORITY, Policy.DROP, rules);
    }
}
