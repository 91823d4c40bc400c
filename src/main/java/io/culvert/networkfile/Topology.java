// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.networkfile.NodeView.UsedExitNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A checked network, from which the configuration of each node follows. Views are computed on demand and not cached.
 */
public final class Topology {

    /** The recommended interval for peers behind NAT (wg(8), PersistentKeepalive). */
    private static final int KEEPALIVE = 25;

    private final NetworkDefinition network;
    private final PeerLinks links;
    private final Endpoints endpoints;
    private final Sites sites;
    private final PeerAddresses peerAddresses;

    /**
     * Creates the topology of a checked network.
     *
     * @param network without errors, as checked by {@link NetworkFile}
     */
    Topology(NetworkDefinition network, PeerLinks links, Endpoints endpoints) {
        this.network = network;
        this.links = links;
        this.endpoints = endpoints;
        this.sites = new Sites(network, links);
        this.peerAddresses = new PeerAddresses(network);
    }

    public Path file() {
        return network.file();
    }

    /** Returns the names of all peers, sorted, including external ones. */
    public List<String> peers() {
        return network.members().stream().map(member -> member.name().value()).toList();
    }

    /** Returns the configuration of a node; empty if there is no such peer. */
    public Optional<NodeView> node(String name) {
        OptionalInt number = links.member(name);
        return number.isEmpty() ? Optional.empty() : Optional.of(view(number.getAsInt()));
    }

    /** Explains which lines of the file the link from {@code from} to {@code to} comes from; both must be peers. */
    public String explain(String from, String to) {
        return new Explanation(this)
                .of(links.member(from).orElseThrow(), links.member(to).orElseThrow());
    }

    public boolean linked(String one, String other) {
        return links.firstSubnet(
                        links.member(one).orElseThrow(), links.member(other).orElseThrow())
                .isPresent();
    }

    /** Returns a tree of all peers by subnet and group. */
    public String tree() {
        return new Overview(this).tree();
    }

    /** Returns a list of all peers, one line for each of their subnets. */
    public String list() {
        return new Overview(this).list();
    }

    NetworkDefinition network() {
        return network;
    }

    PeerLinks links() {
        return links;
    }

    Endpoints endpoints() {
        return endpoints;
    }

    private NodeView view(int node) {
        Member member = network.members().get(node);
        List<NodeInterface> interfaces = new ArrayList<>();
        BitSet named = new BitSet();
        for (int subnet = 0; subnet < network.subnets().size(); subnet++) {
            if (links.members(subnet).get(node)) {
                interfaces.add(mesh(node, subnet, named));
            }
        }
        return new NodeView(
                member.name().value(),
                member.publicKey().value(),
                member.external(),
                interfaces,
                sites.exitOf(node)
                        .map(exit -> new UsedExitNode(
                                device(member, exit.subnet()),
                                network.members().get(exit.peer()).name().value())),
                new Forwards(network, links, sites).of(node, subnet -> device(member, subnet), peerAddresses),
                member.dns());
    }

    private String device(Member member, int subnet) {
        return network.deviceNames()
                .of(member.name().value(), network.subnets().get(subnet).name().value());
    }

    /**
     * Returns the interface of a node in a subnet.
     *
     * @param named peers whose plain names are in the hosts entries already
     */
    private NodeInterface mesh(int node, int subnet, BitSet named) {
        Member member = network.members().get(node);
        Membership membership =
                member.in(network.subnets().get(subnet).name().value()).orElseThrow();
        List<MeshLink> all = new ArrayList<>();
        BitSet linked = links.of(node, subnet);
        for (int peer = linked.nextSetBit(0); peer >= 0; peer = linked.nextSetBit(peer + 1)) {
            all.add(link(node, peer, subnet, !named.get(peer)));
            named.set(peer);
        }
        return new NodeInterface(
                membership.subnet().value(),
                device(member, subnet),
                membership.addresses().stream()
                        .map(LocatedValue::value)
                        .distinct()
                        .toList(),
                membership
                        .listenPort()
                        .map(port -> OptionalInt.of(port.value()))
                        .orElse(OptionalInt.empty()),
                member.privateKeyFile().map(file -> path(file.value())),
                all);
    }

    private MeshLink link(int node, int peer, int subnet, boolean withPlainName) {
        Member other = network.members().get(peer);
        MergedEndpoint merged = endpoints.merged(node, peer, subnet);
        List<Endpoint> candidates = merged.endpoints(peerAddresses.listenPort(peer, subnet));
        return MeshLink.of(other.name().value(), other.publicKey().value(), it -> {
            it.presharedKeyFile = presharedKeyFile(node, peer, subnet);
            it.allowedIps = allowedIps(node, peer, subnet);
            it.candidates = candidates;
            it.keepaliveSeconds = keepalive(node, peer, subnet, merged, candidates);
            it.refreshSeconds = positive(merged.refreshSeconds());
            it.refreshRestartSeconds = positive(merged.refreshRestartSeconds());
            it.hosts = peerAddresses.hosts(peer, subnet, withPlainName);
        });
    }

    /** Returns the keepalive interval. By default a node without an endpoint keeps its NAT mapping open. */
    private OptionalInt keepalive(int node, int peer, int subnet, MergedEndpoint merged, List<Endpoint> candidates) {
        if (merged.persistentKeepalive().isPresent()) {
            return positive(merged.persistentKeepalive());
        }
        boolean peerHasEndpoint =
                endpoints.merged(peer, node, subnet).hasEndpoint(peerAddresses.listenPort(node, subnet));
        return candidates.isEmpty() || peerHasEndpoint ? OptionalInt.empty() : OptionalInt.of(KEEPALIVE);
    }

    private static OptionalInt positive(OptionalInt number) {
        return number.orElse(0) == 0 ? OptionalInt.empty() : number;
    }

    private List<Prefix> allowedIps(int node, int peer, int subnet) {
        List<Prefix> addresses = peerAddresses.addresses(peer, subnet);
        List<Prefix> routes = sites.behind(node, peer, subnet);
        boolean usesExit = sites.usesExit(node, peer, subnet);
        if (routes.isEmpty() && !usesExit) {
            return addresses;
        }
        List<Prefix> allowed = new ArrayList<>(addresses);
        routes.stream().filter(route -> !allowed.contains(route)).forEach(allowed::add);
        if (usesExit) {
            Arrays.stream(Family.values()).map(Prefix::all).forEach(allowed::add);
        }
        return allowed;
    }

    /** Returns the file of the last connection that names one for this pair, else of the subnet. */
    private Optional<Path> presharedKeyFile(int node, int peer, int subnet) {
        Optional<LocatedValue<String>> file = network.subnets().get(subnet).presharedKeyFile();
        for (int i = 0; i < network.connections().size(); i++) {
            Optional<LocatedValue<String>> keyFile =
                    network.connections().get(i).presharedKeyFile();
            if (keyFile.isPresent() && links.joins(i, node, peer, subnet)) {
                file = keyFile;
            }
        }
        String first = network.members().get(Math.min(node, peer)).name().value();
        String second = network.members().get(Math.max(node, peer)).name().value();
        return file.map(written -> path(written.value().replace("{a}", first).replace("{b}", second)));
    }

    /** Resolves a path relative to the directory of the network file. */
    private Path path(String text) {
        return network.file().toAbsolutePath().resolveSibling(text).normalize();
    }
}
