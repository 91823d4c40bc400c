// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.networkfile.Forward.Direction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/** Derives what a node has to forward for its peers. */
final class Forwards {

    private final NetworkDefinition network;
    private final PeerLinks links;
    private final Sites sites;

    Forwards(NetworkDefinition network, PeerLinks links, Sites sites) {
        this.network = network;
        this.links = links;
        this.sites = sites;
    }

    /**
     * Returns what a node forwards.
     *
     * @param device the name of the node's interface in a subnet
     */
    List<Forward> of(int node, IntFunction<String> device, PeerAddresses peerAddresses) {
        Member member = network.members().get(node);
        if (!member.exit() && member.routes().isEmpty()) {
            return List.of();
        }
        List<Forward> all = new ArrayList<>();
        for (int subnet = 0; subnet < network.subnets().size(); subnet++) {
            if (links.members(subnet).get(node)) {
                exitForward(node, subnet, device.apply(subnet), peerAddresses).ifPresent(all::add);
                addSiteForwards(node, subnet, device.apply(subnet), peerAddresses, all);
            }
        }
        return all;
    }

    private Optional<Forward> exitForward(int node, int subnet, String device, PeerAddresses peerAddresses) {
        List<Prefix> sources = new ArrayList<>();
        for (int client : sites.exitClients(node)) {
            if (sites.usesExit(client, /* exit= */ node, subnet)) {
                sources.addAll(peerAddresses.addresses(client, subnet));
            }
        }
        return sources.isEmpty()
                ? Optional.empty()
                : Optional.of(new Forward(
                        Direction.EXIT,
                        device,
                        sources,
                        Arrays.stream(Family.values()).map(Prefix::all).toList(),
                        true));
    }

    private void addSiteForwards(int node, int subnet, String device, PeerAddresses peerAddresses, List<Forward> all) {
        List<Prefix> mesh = new ArrayList<>();
        BitSet linked = links.of(node, subnet);
        for (int peer = linked.nextSetBit(0); peer >= 0; peer = linked.nextSetBit(peer + 1)) {
            if (links.firstSubnet(node, peer).orElse(-1) == subnet) {
                mesh.addAll(peerAddresses.addresses(peer, subnet));
                mesh.addAll(sites.behind(node, peer, subnet));
            }
        }
        List<SiteRoute> routes = network.members().get(node).routes();
        for (boolean masquerade : new boolean[] {false, true}) {
            List<Prefix> behind = routes.stream()
                    .filter(route -> route.masquerade() == masquerade)
                    .map(route -> route.to().value())
                    .distinct()
                    .toList();
            if (!behind.isEmpty() && !mesh.isEmpty()) {
                all.add(new Forward(Direction.INWARD, device, mesh, behind, masquerade));
                if (!masquerade) {
                    all.add(new Forward(Direction.OUTWARD, device, behind, mesh, false));
                }
            }
        }
    }
}
