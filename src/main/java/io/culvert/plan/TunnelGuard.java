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

/** The nftables of tunnels alone. */
public final class TunnelGuard {

    private TunnelGuard() {}

    /**
     * Nothing leaves beside the tunnel. Local networks are closed too, as with the rule that providers' files have for
     * wg-quick; answers pass, so that a machine stays reachable for those who administer it.
     *
     * @param mark of the tunnel's own packets
     * @param onLink the networks of the machine's links
     * @param udpPorts in use on the machine, but not by this tunnel
     * @param carried families that the tunnel carries
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

    /** Only such as the tunnel leads to: queries that are led to others would be for nobody. */
    private static List<InetAddress> resolvers(WireGuardConfig file, Set<Family> carried) {
        return file.dnsServers().stream()
                .filter(server -> carried.contains(Family.of(server)))
                .filter(server -> file.peers().stream()
                        .flatMap(peer -> peer.allowedIps().stream())
                        .anyMatch(prefix -> prefix.contains(server)))
                .toList();
    }

    /**
     * What wg-quick's {@code add_default} adds for a family that goes into a tunnel whole: nobody on a wire may speak to the
     * tunnel's own addresses.
     *
     * @return empty where no tunnel carries a whole family
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
