package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.network.Ipv6;
import io.culvert.network.Link;
import io.culvert.network.LinkAddress;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.network.Ownership;
import io.culvert.network.Route;
import io.culvert.nft.Table;
import io.culvert.problem.Problem;
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
 * @param remarks what the machine keeps from it that the file asks for
 */
public record ConfinementPlan(
        String link,
        int mtu,
        DeviceConfig device,
        NetworkState inside,
        List<Table> guard,
        List<InetAddress> resolvers,
        List<String> searchDomains,
        List<Problem> remarks) {

    public ConfinementPlan {
        guard = List.copyOf(guard);
        resolvers = List.copyOf(resolvers);
        searchDomains = List.copyOf(searchDomains);
        remarks = List.copyOf(remarks);
    }

    /**
     * @param machine outside
     * @param path of the tunnel's own packets
     * @param ipv6 of the namespace inside
     * @param outerMtu in bytes, where the way to the servers is known otherwise than by the machine's routes
     * @param admitted ports of programs inside that may be asked through the tunnel
     */
    public static ConfinementPlan of(
            WireGuardConfig file,
            Machine machine,
            Names names,
            TunnelInputs.Path path,
            Ipv6 ipv6,
            OptionalInt outerMtu,
            List<GuardInput.Port> admitted) {
        DeviceConfig device = DevicePlan.of(file, file.fwMark().orElse(0), names, _ -> true, 0);
        LinkIpv6 link = new LinkIpv6(
                ipv6,
                file.name(),
                outerMtu.isPresent()
                        ? new Mtu(outerMtu.getAsInt(), "as the way outside has it")
                        : Mtu.ofTunnelAlone(file.mtu(), machine, paths(path, device)));
        List<Prefix> carried = link.usable(file.peers().stream()
                .flatMap(peer -> peer.allowedIps().stream())
                .distinct()
                .toList());
        List<Prefix> own = link.usable(file.addresses());
        NetworkState inside = new NetworkState(
                List.of(new Link(file.name(), link.mtu().bytes(), Ownership.ALIAS)),
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
                link.mtu().bytes(),
                device,
                inside,
                ConfinementGuard.of(file.name(), resolvers, admitted),
                resolvers,
                file.searchDomains(),
                link.problem(file.addresses()).stream().toList());
    }

    /** The same where the device sees other servers. */
    public ConfinementPlan with(DeviceConfig otherDevice) {
        return new ConfinementPlan(link, mtu, otherDevice, inside, guard, resolvers, searchDomains, remarks);
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
