package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Coverage;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.network.Link;
import io.culvert.network.LinkAddress;
import io.culvert.network.NetworkState;
import io.culvert.network.Route;
import io.culvert.network.Rule;
import io.culvert.network.Rule.Action;
import io.culvert.nft.Table;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** Builds the nftables rulesets of tunnels without a mesh. */
public final class TunnelGuard {

    private TunnelGuard() {}

    /**
     * Returns the kill switch: nothing leaves outside the tunnel. Local networks are blocked too, as with the rule for wg-quick
     * that providers' files contain. Replies are allowed, so that a machine stays reachable for its administrators.
     *
     * @param mark of the tunnel's own packets
     * @param carried address families that the tunnel carries
     * @param onLink the networks of the machine's links
     * @param udpPorts UDP ports in use on the machine, but not by this tunnel
     */
    static List<Table> killSwitch(
            WireGuardConfig file,
            DeviceConfig device,
            long mark,
            Set<Family> carried,
            List<Prefix> onLink,
            Set<Integer> udpPorts) {
        return GuardRuleset.of(new GuardInput(
                Marks.withTunnel(mark),
                GuardInput.Scope.TUNNEL_ONLY,
                new GuardInput.Tunnel(
                        file.name(),
                        file.addresses().stream().map(Prefix::address).toList(),
                        carried,
                        List.of(),
                        resolvers(file, carried),
                        OptionalInt.of(device.listenPort())),
                List.of(),
                DevicePlan.endpoints(device),
                List.of(),
                List.of(),
                List.of(),
                onLink,
                List.of(),
                false,
                List.copyOf(udpPorts),
                OptionalInt.empty()));
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
    public static List<Table> shield(NetworkState all) {
        List<io.culvert.nft.Rule> rules = new ArrayList<>();
        for (Link link : all.links()) {
            rules.addAll(Inward.spoofed("tunnel " + link.name(), link.name(), addresses(all, link.name())));
        }
        return rules.isEmpty()
                ? List.of()
                : List.of(new Table(GuardRuleset.TABLE, List.of(), List.of(Inward.spoofed(rules))));
    }

    private static List<InetAddress> addresses(NetworkState all, String link) {
        return all.addresses().stream()
                .filter(own -> own.link().equals(link)
                        && carriesAll(all, link, own.address().family()))
                .map(LinkAddress::address)
                .map(Prefix::address)
                .toList();
    }

    private static boolean carriesAll(NetworkState all, String link, Family family) {
        return Coverage.mostOf(all.routes().stream()
                        .filter(route -> route.family() == family)
                        .filter(route -> route.link().filter(link::equals).isPresent())
                        .filter(route -> all.rules().stream().anyMatch(rule -> leadsTo(rule, route)))
                        .map(Route::destination)
                        .toList())
                .isPresent();
    }

    private static boolean leadsTo(Rule rule, Route route) {
        return rule.family() == route.family()
                && rule.action() instanceof Action.Lookup lookup
                && lookup.table() == route.table();
    }
}
