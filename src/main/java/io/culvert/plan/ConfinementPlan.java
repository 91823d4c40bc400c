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
 * The complete desired state of a network namespace that has only loopback and a tunnel.
 *
 * @param link name of the tunnel's link inside the namespace
 * @param mtu in bytes
 * @param device configuration of the WireGuard device, with endpoints as seen from outside: its socket stays outside
 * @param inside links, addresses and routes
 * @param guard the nftables ruleset: allowed inbound packets, and the redirection of DNS queries
 * @param resolvers DNS servers that are queried through the tunnel; empty if none is reachable through it
 * @param remarks what the file asks for and the machine cannot provide
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
     * Returns the plan for a WireGuard file.
     *
     * @param machine the machine outside the namespace
     * @param path of the tunnel's own packets
     * @param ipv6 state of IPv6 inside the namespace
     * @param outerMtu MTU of the path to the servers in bytes, if it is not determined by the machine's routes
     * @param admitted ports of programs inside the namespace that are reachable through the tunnel
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
                        ? new Mtu(outerMtu.getAsInt(), "path MTU outside the namespace")
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

    /** Returns this plan with another device configuration, for other endpoints. */
    public ConfinementPlan with(DeviceConfig otherDevice) {
        return new ConfinementPlan(link, mtu, otherDevice, inside, guard, resolvers, searchDomains, remarks);
    }

    /** Returns the DNS servers of the file, or public ones; only those that are reachable through the tunnel. */
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
