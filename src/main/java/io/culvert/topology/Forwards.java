package io.culvert.topology;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.topology.Forward.Direction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/** Derives what a node has to forward for its peers. */
final class Forwards {

    private final Network network;
    private final Links links;
    private final Sites sites;

    Forwards(Network network, Links links, Sites sites) {
        this.network = network;
        this.links = links;
        this.sites = sites;
    }

    /**
     * Returns what a node forwards.
     *
     * @param device the name of the node's interface in a subnet
     */
    List<Forward> of(int node, IntFunction<String> device, Places places) {
        Member member = network.members().get(node);
        if (!member.exit() && member.routes().isEmpty()) {
            return List.of();
        }
        List<Forward> all = new ArrayList<>();
        for (int subnet = 0; subnet < network.subnets().size(); subnet++) {
            if (links.members(subnet).get(node)) {
                exit(node, subnet, device.apply(subnet), places).ifPresent(all::add);
                site(node, subnet, device.apply(subnet), places, all);
            }
        }
        return all;
    }

    private Optional<Forward> exit(int node, int subnet, String device, Places places) {
        List<Prefix> sources = new ArrayList<>();
        for (int leaver : sites.leavers(node)) {
            if (sites.leaves(leaver, /* exit= */ node, subnet)) {
                sources.addAll(places.addresses(leaver, subnet));
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

    private void site(int node, int subnet, String device, Places places, List<Forward> all) {
        List<Prefix> mesh = new ArrayList<>();
        BitSet linked = links.of(node, subnet);
        for (int peer = linked.nextSetBit(0); peer >= 0; peer = linked.nextSetBit(peer + 1)) {
            if (links.firstSubnet(node, peer).orElse(-1) == subnet) {
                mesh.addAll(places.addresses(peer, subnet));
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
