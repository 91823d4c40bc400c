// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import io.culvert.net.Coverage;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.nft.NftRule;
import io.culvert.nft.Table;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.LinkSpec;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.Route;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceConfig;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** Builds the nftables rulesets of tunnels without a mesh. */
public final class TunnelKillSwitch {

    private TunnelKillSwitch() {}

    /**
     * Returns the kill switch: nothing leaves outside the tunnel. Local networks are blocked too, as with the rule for wg-quick
     * that providers' files contain. Replies are allowed, so that a machine stays reachable for its administrators.
     *
     * @param mark of the tunnel's own packets
     * @param carried address families that the tunnel carries
     * @param onLink the networks of the machine's links
     * @param udpPorts UDP ports in use on the machine, but not by this tunnel
     */
    public static List<Table> killSwitch(
            WireGuardConfig file,
            DeviceConfig device,
            long mark,
            Set<Family> carried,
            List<Prefix> onLink,
            Set<Integer> udpPorts) {
        KillSwitchInput.Tunnel tunnel = new KillSwitchInput.Tunnel(
                file.name(),
                file.addresses().stream().map(Prefix::address).toList(),
                carried,
                List.of(),
                resolvers(file, carried),
                OptionalInt.of(device.listenPort()));
        return KillSwitchRuleset.of(
                KillSwitchInput.of(Marks.withTunnel(mark), KillSwitchInput.Scope.TUNNEL_ONLY, tunnel, it -> {
                    it.servers = device.endpoints();
                    it.onLink = onLink;
                    it.earlierUdpPorts = List.copyOf(udpPorts);
                }));
    }

    /** Returns the file's DNS servers that are reachable through the tunnel; DNS queries can only be redirected to these. */
    private static List<InetAddress> resolvers(WireGuardConfig file, Set<Family> carried) {
        return file.dnsServers().stream()
                .filter(server -> carried.contains(Family.of(server)))
                .filter(server -> file.peers().stream()
                        .flatMap(peer -> peer.allowedIps().stream())
                        .anyMatch(prefix -> prefix.contains(server)))
                .toList();
    }

    /**
     * Returns the anti-spoofing rules that wg-quick's {@code add_default} adds if a tunnel carries a whole address family: packets
     * to the tunnel's own addresses must come from the tunnel.
     *
     * @return empty if no tunnel carries a whole family
     */
    public static List<Table> antiSpoofing(NetworkState network) {
        List<NftRule> rules = new ArrayList<>();
        for (LinkSpec link : network.links()) {
            rules.addAll(
                    InputRules.antiSpoofing("tunnel " + link.name(), link.name(), addresses(network, link.name())));
        }
        return rules.isEmpty()
                ? List.of()
                : List.of(new Table(KillSwitchRuleset.TABLE, List.of(), List.of(InputRules.antiSpoofing(rules))));
    }

    private static List<InetAddress> addresses(NetworkState network, String link) {
        return network.addresses().stream()
                .filter(linkAddress -> linkAddress.link().equals(link)
                        && carriesWholeFamily(
                                network, link, linkAddress.address().family()))
                .map(LinkAddress::address)
                .map(Prefix::address)
                .toList();
    }

    private static boolean carriesWholeFamily(NetworkState network, String link, Family family) {
        return Coverage.mostlyCoveredFamily(network.routes().stream()
                        .filter(route -> route.family() == family)
                        .filter(route -> route.link().filter(link::equals).isPresent())
                        .filter(route -> network.rules().stream().anyMatch(rule -> looksUp(rule, route)))
                        .map(Route::destination)
                        .toList())
                .isPresent();
    }

    private static boolean looksUp(PolicyRule rule, Route route) {
        return rule.family() == route.family()
                && rule.action() instanceof Action.Lookup lookup
                && lookup.table() == route.table();
    }
}
