// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.Problem;
import io.culvert.firewall.LinkEssentials;
import io.culvert.firewall.TunnelKillSwitch;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.Table;
import io.culvert.routing.ActiveTunnels;
import io.culvert.routing.TunnelRouting;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.LinkSpec;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.Ownership;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The complete desired state of a tunnel without a mesh: what wg-quick would set up for the file.
 *
 * @param network links, addresses, routes and rules of this tunnel only
 * @param all links, addresses, routes and rules of all tunnels, including this one
 * @param killSwitch nftables ruleset of the kill switch; empty if it is not enabled
 * @param antiSpoofing nftables ruleset for the tunnels' own addresses, where there is no kill switch; empty if it is
 *     not needed
 * @param directNetworks connected networks that are in AllowedIPs and stay direct
 * @param dnsServers for resolv.conf; empty if it is not changed
 * @param remarks what the file requests and the machine cannot provide
 */
public record TunnelPlan(
        String link,
        DeviceConfig device,
        NetworkState network,
        NetworkState all,
        Optional<List<Table>> killSwitch,
        List<Table> antiSpoofing,
        List<Prefix> directNetworks,
        List<InetAddress> dnsServers,
        List<String> searchDomains,
        List<Problem> remarks) {

    public TunnelPlan {
        killSwitch = killSwitch.map(List::copyOf);
        antiSpoofing = List.copyOf(antiSpoofing);
        directNetworks = List.copyOf(directNetworks);
        dnsServers = List.copyOf(dnsServers);
        searchDomains = List.copyOf(searchDomains);
        remarks = List.copyOf(remarks);
    }

    /** Returns the nftables ruleset to apply; empty if none is needed. */
    public List<Table> ruleset() {
        return killSwitch.orElse(antiSpoofing);
    }

    public static TunnelPlan of(TunnelInputs inputs) {
        WireGuardConfig file = inputs.file();
        ActiveTunnels tunnels = new ActiveTunnels(inputs.current());
        long mark = file.fwMark().orElseGet(() -> tunnels.mark(file.name()));
        DeviceConfig unmarked = DevicePlan.of(file, 0, inputs.names(), _ -> true, 0);
        List<InetSocketAddress> servers = unmarked.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .toList();
        TunnelRouting withIpv6 = new TunnelRouting(
                file,
                inputs.machine(),
                servers,
                inputs.candidates(),
                mark,
                tunnels.slot(file.name()),
                inputs.killSwitch(),
                true);
        long pathMark = withIpv6.needsMark() ? mark : 0;
        LinkIpv6 ipv6 = LinkIpv6.of(
                inputs.machine(),
                file.name(),
                Mtu.ofTunnelWithoutMesh(file.mtu(), inputs.machine(), pathMtus(inputs, servers, pathMark)));
        TunnelRouting routing = ipv6.isSupported() ? withIpv6 : withIpv6.withoutIpv6();
        DeviceConfig device =
                new DeviceConfig(unmarked.privateKey(), port(inputs), routing.needsMark() ? mark : 0, unmarked.peers());
        NetworkState network = new NetworkState(
                List.of(new LinkSpec(file.name(), ipv6.mtu().bytes(), Ownership.ALIAS)),
                addresses(inputs, routing, ipv6),
                routing.routes(),
                routing.rules());
        NetworkState all = union(tunnels.without(file.name()), network);
        return new TunnelPlan(
                file.name(),
                device,
                network,
                all,
                inputs.killSwitch()
                        ? Optional.of(TunnelKillSwitch.killSwitch(
                                file,
                                device,
                                mark,
                                carriedFamilies(file, ipv6),
                                LinkEssentials.onLink(inputs.machine()),
                                inputs.udpPorts()))
                        : Optional.empty(),
                TunnelKillSwitch.antiSpoofing(all),
                routing.directNetworks(),
                file.dnsServers(),
                file.searchDomains(),
                ipv6.problem(file.addresses()).stream().toList());
    }

    /** Returns the file's addresses; if it has none, those that another program has set, such as a DHCP client. */
    private static List<LinkAddress> addresses(TunnelInputs inputs, TunnelRouting routing, LinkIpv6 ipv6) {
        if (inputs.file().addresses().isEmpty()) {
            return inputs.current().addresses().stream()
                    .filter(linkAddress -> linkAddress.link().equals(ipv6.link()))
                    .toList();
        }
        return routing.addresses().stream()
                .filter(linkAddress -> linkAddress.address().family() == Family.IPV4 || ipv6.isSupported())
                .toList();
    }

    private static Set<Family> carriedFamilies(WireGuardConfig file, LinkIpv6 ipv6) {
        if (file.addresses().isEmpty()) {
            return ipv6.isSupported() ? EnumSet.allOf(Family.class) : EnumSet.of(Family.IPV4);
        }
        return ipv6.usable(file.addresses()).stream().map(Prefix::family).collect(Collectors.toSet());
    }

    /** Returns the listen port; 0 lets WireGuard choose, unless the kill switch has to know the port. */
    private static int port(TunnelInputs inputs) {
        WireGuardConfig file = inputs.file();
        return inputs.killSwitch()
                ? file.listenPort()
                        .orElseGet(() -> DerivedPort.candidates(file.privateKey(), file.name())
                                .filter(port -> !inputs.udpPorts().contains(port))
                                .findFirst()
                                .orElseThrow())
                : file.listenPort().orElse(0);
    }

    private static List<Integer> pathMtus(TunnelInputs inputs, List<InetSocketAddress> servers, long mark) {
        return servers.stream()
                .map(InetSocketAddress::getAddress)
                .distinct()
                .map(server -> inputs.path().mtu(server, mark))
                .flatMapToInt(OptionalInt::stream)
                .boxed()
                .toList();
    }

    private static NetworkState union(NetworkState first, NetworkState second) {
        return new NetworkState(
                union(first.links(), second.links()),
                union(first.addresses(), second.addresses()),
                union(first.routes(), second.routes()),
                union(first.rules(), second.rules()));
    }

    private static <T> List<T> union(List<T> first, List<T> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }
}
