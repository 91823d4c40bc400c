// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.Problem;
import io.culvert.firewall.ForwardingPolicy;
import io.culvert.firewall.TunnelKillSwitch;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.nft.Table;
import io.culvert.routing.ActiveTunnels;
import io.culvert.rtnl.LinkSpec;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.Ownership;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The complete desired state of a mesh node. Each of its interfaces is planned like a tunnel from a file of its own.
 *
 * @param devices by interface name, in the network file's order
 * @param network Culvert's complete network state, including other tunnels
 * @param antiSpoofing anti-spoofing ruleset for the interfaces' own addresses; empty if none carries a whole address family
 * @param policy forwarding policy of the mesh interfaces
 * @param forwarded address families that are forwarded
 * @param directNetworks connected networks that stay direct although a peer has a route to them
 * @param stale interfaces of this node that it no longer has
 * @param remarks what the network file asks for and the machine cannot provide
 */
public record NodePlan(
        SequencedMap<String, DeviceConfig> devices,
        NetworkState network,
        List<Table> antiSpoofing,
        Optional<ForwardingPolicy> policy,
        Set<Family> forwarded,
        List<Prefix> directNetworks,
        List<String> stale,
        List<Problem> remarks) {

    public NodePlan {
        devices = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(devices));
        antiSpoofing = List.copyOf(antiSpoofing);
        forwarded = Set.copyOf(forwarded);
        directNetworks = List.copyOf(directNetworks);
        stale = List.copyOf(stale);
        remarks = List.copyOf(remarks);
    }

    public static NodePlan of(NodeInputs inputs) {
        String alias = Ownership.ofNode(inputs.node());
        Set<String> desiredLinks =
                inputs.interfaces().stream().map(WireGuardConfig::name).collect(Collectors.toSet());
        List<String> stale = linksOf(inputs.node(), inputs.current()).stream()
                .filter(link -> !desiredLinks.contains(link))
                .toList();
        NetworkState current = without(stale, inputs.current());
        SequencedMap<String, DeviceConfig> devices = new LinkedHashMap<>();
        Set<Prefix> directNetworks = new LinkedHashSet<>();
        List<Problem> remarks = new ArrayList<>();
        for (WireGuardConfig mesh : inputs.interfaces()) {
            NetworkState before = current;
            TunnelPlan tunnel = TunnelPlan.of(TunnelInputs.of(mesh, inputs.machine(), inputs.path(), it -> {
                it.current = before;
                it.candidates = inputs.candidates();
            }));
            directNetworks.addAll(tunnel.directNetworks());
            devices.put(mesh.name(), tunnel.device());
            remarks.addAll(tunnel.remarks());
            current = tunnel.all();
        }
        NetworkState network = new NetworkState(
                current.links().stream()
                        .map(link -> desiredLinks.contains(link.name())
                                ? new LinkSpec(link.name(), link.mtu(), alias)
                                : link)
                        .toList(),
                current.addresses(),
                current.routes(),
                current.rules());
        Set<Family> carried = network.addresses().stream()
                .filter(linkAddress -> desiredLinks.contains(linkAddress.link()))
                .map(linkAddress -> linkAddress.address().family())
                .collect(Collectors.toUnmodifiableSet());
        Optional<ForwardingPolicy> policy = ForwardingPolicy.of(inputs.node(), inputs.forwards(), desiredLinks);
        return new NodePlan(
                devices,
                network,
                TunnelKillSwitch.antiSpoofing(network),
                policy,
                policy.map(it -> it.families(carried)).orElse(Set.of()),
                List.copyOf(directNetworks),
                stale,
                remarks);
    }

    /** Returns the interfaces of a node, by the alias of its links. */
    public static List<String> linksOf(String node, NetworkState current) {
        return current.links().stream()
                .filter(link -> link.alias().equals(Ownership.ofNode(node)))
                .map(LinkSpec::name)
                .toList();
    }

    /** Returns the network state without these links. */
    public static NetworkState without(List<String> links, NetworkState current) {
        NetworkState rest = current;
        for (String link : links) {
            rest = new ActiveTunnels(rest).without(link);
        }
        return rest;
    }
}
