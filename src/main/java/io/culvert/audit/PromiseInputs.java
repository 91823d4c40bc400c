// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.rtnl.Machine;
import io.culvert.settings.Settings;
import io.culvert.wireguard.config.WireGuardConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What the promise is computed from: settings, files, the machine, and what is known while the exit node runs.
 *
 * @param tunnel the name of the tunnel's link
 * @param mark of the tunnel's own packets
 * @param server the provider's file in use
 * @param meshes the files of the mesh interfaces by link, where the mesh is plain WireGuard
 * @param tunnelPort the UDP port that the tunnel sends from; empty where it is not known: then it sends nothing
 * @param servers the current addresses of the tunnel's server
 * @param resolvers the container's own DNS servers
 * @param bypassAddresses of bypasses by name
 * @param tailnetAddresses of this node in the tailnet
 * @param relayPorts TCP ports of Tailscale's relays
 * @param forwardedPort port that is reachable from the tunnel; empty if none
 * @param socksPort port of the proxy; empty if it is off
 * @param dnsPort port of the DNS stub
 */
public record PromiseInputs(
        Settings settings,
        String tunnel,
        long mark,
        WireGuardConfig server,
        SequencedMap<String, WireGuardConfig> meshes,
        Machine machine,
        OptionalInt tunnelPort,
        Set<InetSocketAddress> servers,
        List<InetAddress> resolvers,
        Map<Host.Name, List<InetAddress>> bypassAddresses,
        List<InetAddress> tailnetAddresses,
        Set<Integer> relayPorts,
        OptionalInt forwardedPort,
        OptionalInt socksPort,
        int dnsPort) {

    /** What is known while the exit node runs, by name. */
    public static final class Known {
        public OptionalInt tunnelPort = OptionalInt.empty();
        public Set<InetSocketAddress> servers = Set.of();
        public List<InetAddress> resolvers = List.of();
        public Map<Host.Name, List<InetAddress>> bypassAddresses = Map.of();
        public List<InetAddress> tailnetAddresses = List.of();
        public Set<Integer> relayPorts = Set.of();
        public OptionalInt forwardedPort = OptionalInt.empty();
        public OptionalInt socksPort = OptionalInt.empty();
        public int dnsPort;

        private Known() {}
    }

    public PromiseInputs {
        servers = Set.copyOf(servers);
        resolvers = List.copyOf(resolvers);
        bypassAddresses = Map.copyOf(bypassAddresses);
        tailnetAddresses = List.copyOf(tailnetAddresses);
        relayPorts = Set.copyOf(relayPorts);
    }

    /** Returns the inputs with what {@code know} sets. */
    public static PromiseInputs of(
            Settings settings,
            String tunnel,
            long mark,
            WireGuardConfig server,
            SequencedMap<String, WireGuardConfig> meshes,
            Machine machine,
            Consumer<Known> know) {
        Known known = new Known();
        know.accept(known);
        return new PromiseInputs(
                settings,
                tunnel,
                mark,
                server,
                meshes,
                machine,
                known.tunnelPort,
                known.servers,
                known.resolvers,
                known.bypassAddresses,
                known.tailnetAddresses,
                known.relayPorts,
                known.forwardedPort,
                known.socksPort,
                known.dnsPort);
    }

    /** Returns the addresses of the tunnel and of the mesh interfaces. */
    List<Prefix> innerAddresses() {
        return innerAddresses(_ -> true);
    }

    /** Returns the addresses of the links of tunnel and mesh except one. */
    List<Prefix> innerAddressesExcept(String link) {
        return innerAddresses(other -> !other.equals(link));
    }

    private List<Prefix> innerAddresses(Predicate<String> isOfLink) {
        Stream<InetAddress> files = Stream.concat(Stream.of(Map.entry(tunnel, server)), meshes.entrySet().stream())
                .filter(entry -> isOfLink.test(entry.getKey()))
                .flatMap(entry -> entry.getValue().addresses().stream())
                .map(Prefix::address);
        Stream<InetAddress> tailnet = settings.mesh().tailscale().stream()
                .filter(tailscale -> isOfLink.test(tailscale.interfaceName()))
                .flatMap(_ -> tailnetAddresses.stream());
        return Stream.concat(files, tailnet).map(Prefix::host).distinct().toList();
    }

    /** Returns the names of the links of tunnel and mesh. */
    Set<String> innerLinks() {
        Set<String> links = new LinkedHashSet<>(List.of(tunnel));
        links.addAll(clientLinks());
        return links;
    }

    /** Returns the names of the mesh's links. */
    Set<String> clientLinks() {
        Set<String> links = new LinkedHashSet<>(meshes.keySet());
        settings.mesh().tailscale().ifPresent(tailscale -> links.add(tailscale.interfaceName()));
        return links;
    }
}
