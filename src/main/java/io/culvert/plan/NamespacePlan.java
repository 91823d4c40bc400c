// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.Problem;
import io.culvert.firewall.NamespaceFirewall;
import io.culvert.net.Family;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.nft.Table;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.LinkAddress;
import io.culvert.rtnl.LinkSpec;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.Ownership;
import io.culvert.rtnl.Route;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceConfig;
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
 * @param ruleset the nftables ruleset: allowed inbound packets, and the redirection of DNS queries
 * @param resolvers DNS servers that are queried through the tunnel; empty if none is reachable through it
 * @param remarks what the file requests and the machine cannot provide
 */
public record NamespacePlan(
        String link,
        int mtu,
        DeviceConfig device,
        NetworkState inside,
        List<Table> ruleset,
        List<InetAddress> resolvers,
        List<String> searchDomains,
        List<Problem> remarks) {

    public NamespacePlan {
        ruleset = List.copyOf(ruleset);
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
     * @param inboundPorts ports of programs inside the namespace that are reachable through the tunnel
     */
    public static NamespacePlan of(
            WireGuardConfig file,
            Machine machine,
            ResolvedNames names,
            TunnelInputs.Path path,
            Ipv6 ipv6,
            OptionalInt outerMtu,
            List<Port> inboundPorts) {
        DeviceConfig device = DevicePlan.of(file, file.fwMark().orElse(0), names, _ -> true, 0);
        LinkIpv6 link = new LinkIpv6(
                ipv6,
                file.name(),
                outerMtu.isPresent()
                        ? new Mtu(outerMtu.getAsInt(), "path MTU outside the namespace")
                        : Mtu.ofTunnelWithoutMesh(file.mtu(), machine, pathMtus(path, device)));
        List<Prefix> carried = link.usable(file.peers().stream()
                .flatMap(peer -> peer.allowedIps().stream())
                .distinct()
                .toList());
        List<Prefix> tunnelAddresses = link.usable(file.addresses());
        NetworkState inside = new NetworkState(
                List.of(new LinkSpec(file.name(), link.mtu().bytes(), Ownership.ALIAS)),
                tunnelAddresses.stream()
                        .map(address -> new LinkAddress(file.name(), address))
                        .toList(),
                carried.stream()
                        .filter(prefix -> tunnelAddresses.stream()
                                .noneMatch(address -> !(address.isHost() && address.family() == Family.IPV4)
                                        && address.contains(prefix)))
                        .map(prefix -> Route.through(file.name(), prefix, Route.MAIN))
                        .toList(),
                List.of());
        List<InetAddress> resolvers = resolvers(file, carried);
        return new NamespacePlan(
                file.name(),
                link.mtu().bytes(),
                device,
                inside,
                NamespaceFirewall.of(file.name(), resolvers, inboundPorts),
                resolvers,
                file.searchDomains(),
                link.problem(file.addresses()).stream().toList());
    }

    /** Returns this plan with another device configuration, for other endpoints. */
    public NamespacePlan with(DeviceConfig otherDevice) {
        return new NamespacePlan(link, mtu, otherDevice, inside, ruleset, resolvers, searchDomains, remarks);
    }

    /** Returns the DNS servers of the file, or public ones; only those that are reachable through the tunnel. */
    private static List<InetAddress> resolvers(WireGuardConfig file, List<Prefix> carried) {
        List<InetAddress> servers = file.dnsServers().isEmpty() ? DnsPlan.PUBLIC_RESOLVERS : file.dnsServers();
        return servers.stream()
                .filter(resolver -> carried.stream().anyMatch(prefix -> prefix.contains(resolver)))
                .toList();
    }

    private static List<Integer> pathMtus(TunnelInputs.Path path, DeviceConfig device) {
        return device.peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .map(InetSocketAddress::getAddress)
                .map(server -> path.mtu(server, device.mark()))
                .flatMapToInt(OptionalInt::stream)
                .boxed()
                .toList();
    }
}
