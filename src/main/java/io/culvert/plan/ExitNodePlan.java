package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.network.RoutingClaim;
import io.culvert.nft.Table;
import io.culvert.problem.Problem;
import java.net.InetAddress;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The whole desired state of an exit node.
 *
 * @param tunnel the device of the tunnel
 * @param meshes the devices of the mesh's interfaces, by their names, where the mesh is plain WireGuard
 * @param guard the nftables layer
 * @param rules the routing layer, which needs no link: it stands before the tunnel does
 * @param tunnelNetwork the rules, and the addresses and routes of the tunnel's link
 * @param network the whole: the mesh's too
 * @param claim what the rules are to decide
 * @param dnsServers asked by the stub, through the tunnel
 * @param dnsRoutes names that other servers are asked for
 * @param stubAddresses where the stub listens for local processes
 * @param endpointNames of servers and peers, which must be followed
 * @param bypassNames of bypasses, which must be followed too
 * @param meshPeers the prefixes behind the mesh's interfaces
 * @param tailnet the network of a Tailscale mesh, as far as it is known
 * @param remarks what the machine keeps from it that the files ask for
 * @param machine that this is a plan for
 */
public record ExitNodePlan(
        DeviceConfig tunnel,
        SequencedMap<String, DeviceConfig> meshes,
        List<Table> guard,
        NetworkState rules,
        NetworkState tunnelNetwork,
        NetworkState network,
        RoutingClaim claim,
        List<InetAddress> dnsServers,
        List<NameRoute> dnsRoutes,
        List<InetAddress> stubAddresses,
        Set<Host.Name> endpointNames,
        Set<Host.Name> bypassNames,
        List<Prefix> meshPeers,
        Tailnet tailnet,
        List<Problem> remarks,
        Machine machine) {

    /** The tunnel's interface, whatever its file is called: the guard, Dante's configuration and people know it. */
    public static final String TUNNEL = "wg0";

    /**
     * Where the stub listens; the guard leads everybody's questions there from port 53. Above 1023, so that an ordinary user,
     * and root without its usual capabilities, may have it.
     */
    public static final int STUB_PORT = 5053;

    public ExitNodePlan {
        meshes = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(meshes));
        guard = List.copyOf(guard);
        dnsServers = List.copyOf(dnsServers);
        dnsRoutes = List.copyOf(dnsRoutes);
        stubAddresses = List.copyOf(stubAddresses);
        endpointNames = Set.copyOf(endpointNames);
        bypassNames = Set.copyOf(bypassNames);
        meshPeers = List.copyOf(meshPeers);
        remarks = List.copyOf(remarks);
    }

    /** All that must be followed. */
    public Set<Host.Name> names() {
        return Stream.concat(endpointNames.stream(), bypassNames.stream()).collect(Collectors.toUnmodifiableSet());
    }

    /** The mesh interfaces' own; empty where the mesh is not plain WireGuard. */
    public List<InetAddress> meshAddresses() {
        return network.addresses().stream()
                .filter(own -> meshes.containsKey(own.link()))
                .map(own -> own.address().address())
                .toList();
    }

    /** Which the tunnel carries. */
    public Set<Family> carried() {
        return tunnelNetwork.addresses().stream()
                .map(own -> own.address().family())
                .collect(Collectors.toUnmodifiableSet());
    }

    /** In which there is an uplink. */
    public Set<Family> families() {
        return machine.uplinks().keySet();
    }
}
