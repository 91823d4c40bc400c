package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.network.Link;
import io.culvert.network.NetworkState;
import io.culvert.network.Ownership;
import io.culvert.nft.Table;
import io.culvert.problem.Problem;
import io.culvert.wireguard.WireGuardConfig;
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
 * @param shield anti-spoofing ruleset for the interfaces' own addresses; empty if none carries a whole address family
 * @param passage forwarding policy of the mesh interfaces
 * @param forwarded address families that are forwarded
 * @param direct connected networks that stay direct although a peer has a route to them
 * @param stale interfaces of this node that it no longer has
 * @param remarks what the network file asks for and the machine cannot provide
 */
public record NodePlan(
        SequencedMap<String, DeviceConfig> devices,
        NetworkState network,
        List<Table> shield,
        Optional<Passage> passage,
        Set<Family> forwarded,
        List<Prefix> direct,
        List<String> stale,
        List<Problem> remarks) {

    public NodePlan {
        devices = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(devices));
        shield = List.copyOf(shield);
        forwarded = Set.copyOf(forwarded);
        direct = List.copyOf(direct);
        stale = List.copyOf(stale);
        remarks = List.copyOf(remarks);
    }

    public static NodePlan of(NodeInputs inputs) {
        String alias = Ownership.ofNode(inputs.node());
        Set<String> wanted =
                inputs.interfaces().stream().map(WireGuardConfig::name).collect(Collectors.toSet());
        List<String> stale = linksOf(inputs.node(), inputs.present()).stream()
                .filter(link -> !wanted.contains(link))
                .toList();
        NetworkState present = without(stale, inputs.present());
        SequencedMap<String, DeviceConfig> devices = new LinkedHashMap<>();
        Set<Prefix> direct = new LinkedHashSet<>();
        List<Problem> remarks = new ArrayList<>();
        for (WireGuardConfig mesh : inputs.interfaces()) {
            TunnelPlan one = TunnelPlan.of(new TunnelInputs(
                    mesh, inputs.machine(), Names.NONE, inputs.path(), present, Set.of(), false, inputs.candidates()));
            direct.addAll(one.direct());
            devices.put(mesh.name(), one.device());
            remarks.addAll(one.remarks());
            present = one.all();
        }
        NetworkState all = new NetworkState(
                present.links().stream()
                        .map(link -> wanted.contains(link.name()) ? new Link(link.name(), link.mtu(), alias) : link)
                        .toList(),
                present.addresses(),
                present.routes(),
                present.rules());
        Optional<Passage> passage = Passage.of(inputs, wanted);
        return new NodePlan(
                devices,
                all,
                TunnelGuard.shield(all),
                passage,
                passage.map(it -> it.families(inputs.machine())).orElse(Set.of()),
                List.copyOf(direct),
                stale,
                remarks);
    }

    /** Returns the interfaces of a node, by the alias of its links. */
    public static List<String> linksOf(String node, NetworkState present) {
        return present.links().stream()
                .filter(link -> link.alias().equals(Ownership.ofNode(node)))
                .map(Link::name)
                .toList();
    }

    /** Returns the network state without these links. */
    public static NetworkState without(List<String> links, NetworkState present) {
        NetworkState rest = present;
        for (String link : links) {
            rest = new Tunnels(rest).without(link);
        }
        return rest;
    }
}
