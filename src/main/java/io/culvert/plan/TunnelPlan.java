package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.network.Link;
import io.culvert.network.LinkAddress;
import io.culvert.network.NetworkState;
import io.culvert.network.Ownership;
import io.culvert.nft.Table;
import io.culvert.problem.Problem;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The complete desired state of a tunnel without a mesh: what wg-quick would set up for the file.
 *
 * @param network links, addresses, routes and rules of this tunnel only
 * @param all links, addresses, routes and rules of all tunnels, including this one
 * @param guard the kill switch, or the anti-spoofing rules for the tunnels' own addresses; empty if neither is needed
 * @param direct connected networks that are in AllowedIPs and stay direct
 * @param dnsServers for resolv.conf; empty if it is not changed
 * @param remarks what the file asks for and the machine cannot provide
 */
public record TunnelPlan(
        String link,
        DeviceConfig device,
        NetworkState network,
        NetworkState all,
        List<Table> guard,
        List<Prefix> direct,
        List<InetAddress> dnsServers,
        List<String> searchDomains,
        List<Problem> remarks) {

    public TunnelPlan {
        guard = List.copyOf(guard);
        direct = List.copyOf(direct);
        dnsServers = List.copyOf(dnsServers);
        searchDomains = List.copyOf(searchDomains);
        remarks = List.copyOf(remarks);
    }

    public static TunnelPlan of(TunnelInputs inputs) {
        WireGuardConfig file = inputs.file();
        Tunnels tunnels = new Tunnels(inputs.present());
        long mark = file.fwMark().orElseGet(() -> tunnels.mark(file.name()));
        DeviceConfig unmarked = DevicePlan.of(file, 0, inputs.names(), _ -> true, 0);
        List<InetSocketAddress> servers = unmarked.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .toList();
        TunnelRouting carrying = new TunnelRouting(
                file,
                inputs.machine(),
                servers,
                inputs.candidates(),
                mark,
                tunnels.slot(file.name()),
                inputs.killSwitch(),
                true);
        long pathMark = carrying.needsMark() ? mark : 0;
        LinkIpv6 ipv6 = LinkIpv6.of(
                inputs.machine(),
                file.name(),
                Mtu.ofTunnelAlone(file.mtu(), inputs.machine(), paths(inputs, servers, pathMark)));
        TunnelRouting routing = ipv6.isCarried() ? carrying : carrying.withoutIpv6();
        DeviceConfig device =
                new DeviceConfig(unmarked.privateKey(), port(inputs), routing.needsMark() ? mark : 0, unmarked.peers());
        NetworkState network = new NetworkState(
                List.of(new Link(file.name(), ipv6.mtu().bytes(), Ownership.ALIAS)),
                addresses(inputs, routing, ipv6),
                routing.routes(),
                routing.rules());
        NetworkState all = both(tunnels.without(file.name()), network);
        return new TunnelPlan(
                file.name(),
                device,
                network,
                all,
                inputs.killSwitch()
                        ? TunnelGuard.killSwitch(
                                file,
                                device,
                                mark,
                                carried(file, ipv6),
                                AddressKeeping.onLink(inputs.machine()),
                                inputs.udpPorts())
                        : TunnelGuard.shield(all),
                routing.direct(),
                file.dnsServers(),
                file.searchDomains(),
                ipv6.problem(file.addresses()).stream().toList());
    }

    /** Returns the file's addresses; if it has none, those that another program has set, such as a DHCP client. */
    private static List<LinkAddress> addresses(TunnelInputs inputs, TunnelRouting routing, LinkIpv6 ipv6) {
        if (inputs.file().addresses().isEmpty()) {
            return inputs.present().addresses().stream()
                    .filter(own -> own.link().equals(ipv6.link()))
                    .toList();
        }
        return routing.addresses().stream()
                .filter(own -> own.address().family() == Family.IPV4 || ipv6.isCarried())
                .toList();
    }

    private static Set<Family> carried(WireGuardConfig file, LinkIpv6 ipv6) {
        if (file.addresses().isEmpty()) {
            return ipv6.isCarried() ? EnumSet.allOf(Family.class) : EnumSet.of(Family.IPV4);
        }
        return ipv6.usable(file.addresses()).stream().map(Prefix::family).collect(Collectors.toSet());
    }

    /** Returns the listen port; 0 lets WireGuard choose, unless the kill switch has to know the port. */
    private static int port(TunnelInputs inputs) {
        WireGuardConfig file = inputs.file();
        return inputs.killSwitch()
                ? file.listenPort()
                        .orElseGet(() -> OwnPort.candidates(file.privateKey(), file.name())
                                .filter(port -> !inputs.udpPorts().contains(port))
                                .findFirst()
                                .orElseThrow())
                : file.listenPort().orElse(0);
    }

    private static List<Integer> paths(TunnelInputs inputs, List<InetSocketAddress> servers, long mark) {
        return servers.stream()
                .map(server -> inputs.path().mtu(server.getAddress(), mark))
                .flatMapToInt(OptionalInt::stream)
                .boxed()
                .toList();
    }

    private static NetworkState both(NetworkState some, NetworkState more) {
        return new NetworkState(
                both(some.links(), more.links()),
                both(some.addresses(), more.addresses()),
                both(some.routes(), more.routes()),
                both(some.rules(), more.rules()));
    }

    private static <T> List<T> both(List<T> some, List<T> more) {
        return Stream.concat(some.stream(), more.stream()).toList();
    }
}
