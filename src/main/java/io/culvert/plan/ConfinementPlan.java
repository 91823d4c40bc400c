package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.network.Link;
import io.culvert.network.LinkAddress;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.network.Ownership;
import io.culvert.network.Route;
import io.culvert.nft.Table;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.OptionalInt;

/**
 * The whole desired state of a network namespace that holds nothing but loopback and a tunnel.
 *
 * @param link its name inside
 * @param mtu in bytes
 * @param device as the machine sees the servers: its socket stays outside
 * @param inside links, addresses and routes
 * @param guard what may come in, and where questions for names go
 * @param resolvers asked through the tunnel; empty where it leads to none
 */
public record ConfinementPlan(
        String link,
        int mtu,
        DeviceConfig device,
        NetworkState inside,
        List<Table> guard,
        List<InetAddress> resolvers,
        List<String> searchDomains) {

    public ConfinementPlan {
        guard = List.copyOf(guard);
        resolvers = List.copyOf(resolvers);
        searchDomains = List.copyOf(searchDomains);
    }

    /**
     * @param machine outside
     * @param path of the tunnel's own packets
     * @param ipv6 whether there is IPv6 inside
     * @param admitted ports of programs inside that may be asked through the tunnel
     */
    public static ConfinementPlan of(
            WireGuardConfig file,
            Machine machine,
            Names names,
            TunnelInputs.Path path,
            boolean ipv6,
            List<GuardInput.Port> admitted) {
        DeviceConfig device = DevicePlan.of(file, file.fwMark().orElse(0), names, _ -> true, 0);
        List<Prefix> carried = file.peers().stream()
                .flatMap(peer -> peer.allowedIps().stream())
                .filter(prefix -> ipv6 || prefix.family() == Family.IPV4)
                .distinct()
                .toList();
        List<Prefix> own = file.addresses().stream()
                .filter(address -> ipv6 || address.family() == Family.IPV4)
                .toList();
        int mtu = file.mtu().orElseGet(() -> Mtu.ofTunnelAlone(machine, paths(path, device)));
        NetworkState inside = new NetworkState(
                List.of(new Link(file.name(), mtu, Ownership.ALIAS)),
                own.stream()
                        .map(address -> new LinkAddress(file.name(), address))
                        .toList(),
                carried.stream()
                        .filter(prefix -> own.stream()
                                .noneMatch(address -> !(address.isHost() && address.family() == Family.IPV4)
                                        && address.contains(prefix)))
                        .map(prefix -> Route.through(file.name(), prefix, Route.MAIN))
                        .toList(),
                List.of());
        List<InetAddress> resolvers = resolvers(file, carried);
        return new ConfinementPlan(
                file.name(),
                mtu,
                device,
                inside,
                ConfinementGuard.of(file.name(), resolvers, admitted),
                resolvers,
                file.searchDomains());
    }

    /**
     * The same where the device sees other servers, and the way to them is known otherwise.
     *
     * @param otherMtu in bytes
     */
    public ConfinementPlan with(int otherMtu, DeviceConfig otherDevice) {
        NetworkState resized = new NetworkState(
                List.of(new Link(link, otherMtu, Ownership.ALIAS)),
                inside.addresses(),
                inside.routes(),
                inside.rules());
        return new ConfinementPlan(link, otherMtu, otherDevice, resized, guard, resolvers, searchDomains);
    }

    /** The file's, else public ones; only those that the tunnel leads to. */
    private static List<InetAddress> resolvers(WireGuardConfig file, List<Prefix> carried) {
        List<InetAddress> wanted = file.dnsServers().isEmpty() ? ExitNodePlanner.PUBLIC_RESOLVERS : file.dnsServers();
        return wanted.stream()
                .filter(resolver -> carried.stream().anyMatch(prefix -> prefix.contains(resolver)))
                .toList();
    }

    private static List<Integer> paths(TunnelInputs.Path path, DeviceConfig device) {
        return device.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .map(InetSocketAddress::getAddress)
                .map(server -> path.mtu(server, device.mark()))
                .flatMapToInt(OptionalInt::stream)
                .boxed()
                .toList();
    }
}
