// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.Problem;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.nft.Table;
import io.culvert.routing.TunnelIdentity;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.RoutingIntent;
import io.culvert.wireguard.device.DeviceConfig;
import java.net.InetAddress;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The complete desired state of an exit node.
 *
 * @param identity link, table and marks of the tunnel
 * @param tunnel the device of the tunnel
 * @param meshes the devices of the mesh interfaces by name, if the mesh is plain WireGuard
 * @param ruleset the nftables ruleset of the kill switch
 * @param killSwitchRouting the routing rules of the kill switch, which need no link: they are set before the tunnel is up
 * @param tunnelNetwork the rules, and the addresses and routes of the tunnel's link
 * @param network the complete network state, including the mesh
 * @param routingIntent what the rules must decide
 * @param dns the servers and addresses of the DNS stub
 * @param endpointNames host names of servers and peers, whose addresses are tracked
 * @param bypassNames host names of bypasses, whose addresses are tracked too
 * @param meshPeers the prefixes behind the mesh interfaces
 * @param tailnet the network of a Tailscale mesh, as far as it is known
 * @param gatewayAddresses addresses on the uplinks by which gateway clients reach the DNS stub
 * @param remarks what the files ask for and the machine cannot provide
 * @param machine the machine that the plan is for
 */
public record ExitNodePlan(
        TunnelIdentity identity,
        DeviceConfig tunnel,
        SequencedMap<String, DeviceConfig> meshes,
        List<Table> ruleset,
        NetworkState killSwitchRouting,
        NetworkState tunnelNetwork,
        NetworkState network,
        RoutingIntent routingIntent,
        DnsPlan dns,
        Set<Host.Name> endpointNames,
        Set<Host.Name> bypassNames,
        List<Prefix> meshPeers,
        Tailnet tailnet,
        List<InetAddress> gatewayAddresses,
        List<Problem> remarks,
        Machine machine) {

    /**
     * Port of the DNS stub, to which DNS queries to port 53 are redirected. It is above 1023, so that binding to it needs no
     * capability.
     */
    public static final int STUB_PORT = 5053;

    public ExitNodePlan {
        meshes = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(meshes));
        ruleset = List.copyOf(ruleset);
        endpointNames = Set.copyOf(endpointNames);
        bypassNames = Set.copyOf(bypassNames);
        meshPeers = List.copyOf(meshPeers);
        gatewayAddresses = List.copyOf(gatewayAddresses);
        remarks = List.copyOf(remarks);
    }

    /** Returns all host names whose addresses are tracked. */
    public Set<Host.Name> names() {
        return Stream.concat(endpointNames.stream(), bypassNames.stream()).collect(Collectors.toUnmodifiableSet());
    }

    /** Returns the mesh interfaces' own addresses; empty if the mesh is not plain WireGuard. */
    public List<InetAddress> meshAddresses() {
        return network.addresses().stream()
                .filter(linkAddress -> meshes.containsKey(linkAddress.link()))
                .map(linkAddress -> linkAddress.address().address())
                .toList();
    }

    /** Returns the addresses on which the DNS stub serves clients of this node. */
    public List<InetAddress> clientDnsAddresses() {
        return Stream.concat(meshAddresses().stream(), gatewayAddresses.stream())
                .distinct()
                .toList();
    }

    /** Returns the address families that the tunnel carries. */
    public Set<Family> carried() {
        return tunnelNetwork.addresses().stream()
                .map(linkAddress -> linkAddress.address().family())
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Returns the address families that have an uplink. */
    public Set<Family> families() {
        return machine.uplinks().keySet();
    }
}
