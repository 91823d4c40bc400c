package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Prefix;
import io.culvert.network.Link;
import io.culvert.network.LinkAddress;
import io.culvert.network.NetworkState;
import io.culvert.network.Ownership;
import io.culvert.nft.Table;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * The whole desired state of a tunnel without a mesh: what wg-quick would make of the file.
 *
 * @param network links, addresses, routes and rules of this tunnel only
 * @param all those of every tunnel, this one included
 * @param guard the kill switch, or what shields the tunnels' own addresses; empty where there is nothing to guard
 * @param direct connected networks that AllowedIPs name, and that stay direct
 * @param dnsServers for resolv.conf; empty leaves it as it is
 */
public record TunnelPlan(
        String link,
        DeviceConfig device,
        NetworkState network,
        NetworkState all,
        List<Table> guard,
        List<Prefix> direct,
        List<InetAddress> dnsServers,
        List<String> searchDomains) {

    public TunnelPlan {
        guard = List.copyOf(guard);
        direct = List.copyOf(direct);
        dnsServers = List.copyOf(dnsServers);
        searchDomains = List.copyOf(searchDomains);
    }

    public static TunnelPlan of(TunnelInputs inputs) {
        WireGuardConfig file = inputs.file();
        Tunnels tunnels = new Tunnels(inputs.present());
        long mark = file.fwMark().orElseGet(() -> tunnels.mark(file.name()));
        DeviceConfig unmarked = DevicePlan.of(file, 0, inputs.names(), _ -> true, 0);
        List<InetSocketAddress> servers = unmarked.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .toList();
        TunnelRouting routing = new TunnelRouting(
                file,
                inputs.machine(),
                servers,
                inputs.candidates(),
                mark,
                tunnels.slot(file.name()),
                inputs.killSwitch());
        DeviceConfig device =
                new DeviceConfig(unmarked.privateKey(), port(inputs), routing.needsMark() ? mark : 0, unmarked.peers());
        int mtu =
                file.mtu().orElseGet(() -> Mtu.ofTunnelAlone(inputs.machine(), paths(inputs, servers, device.mark())));
        List<LinkAddress> addresses = routing.addresses();
        NetworkState network = new NetworkState(
                List.of(new Link(file.name(), mtu, Ownership.ALIAS)), addresses, routing.routes(), routing.rules());
        NetworkState all = both(tunnels.without(file.name()), network);
        return new TunnelPlan(
                file.name(),
                device,
                network,
                all,
                inputs.killSwitch()
                        ? TunnelGuard.killSwitch(
                                file, device, mark, AddressKeeping.onLink(inputs.machine()), inputs.udpPorts())
                        : TunnelGuard.shield(all),
                routing.direct(),
                file.dnsServers(),
                file.searchDomains());
    }

    /** Without a kill switch, which has to know it, WireGuard may choose. */
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
