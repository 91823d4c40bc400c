// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import io.culvert.net.Bypass;
import io.culvert.net.Coverage;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The inputs of the kill switch's ruleset. It does not name an uplink: every link except loopback, tunnel and mesh
 * interfaces counts as one.
 *
 * @param meshes the mesh interfaces; packets from one of them are never forwarded to another
 * @param servers the only addresses and ports that the tunnel's outer packets may be sent to
 * @param resolvers DNS servers that are queried, on port 53, for bootstrap DNS queries: names that are needed before
 *     the tunnel is up
 * @param lan networks that local processes reach, and are reached from, outside the tunnel
 * @param published ports that are reachable from the uplink; also the tunnel's own {@code ListenPort}, if the server
 *     may initiate
 * @param onLink the networks of the uplinks, in which neighbour discovery is allowed
 * @param bypasses destinations that local processes reach outside the tunnel
 * @param hasProxy whether clients of a proxy leave with the tunnel's address
 * @param earlierUdpPorts in {@link Scope#TUNNEL_ONLY}, the local UDP ports that were in use before the kill switch: the
 *     first packets to them may belong to a flow that began before, on either side
 * @param forwardedPort port that is reachable from the tunnel, by TCP and UDP; empty if none
 * @param loopbackPorts TCP ports of the HTTP control server on loopback, which no other link may reach
 * @param gatewayClients networks whose machines send through this node into the tunnel, by an uplink
 * @param dnsPort port of the DNS stub, on loopback and the mesh interfaces, and on the uplinks for gateway clients; empty if no DNS queries are redirected to
 *     it
 */
public record KillSwitchInput(
        Marks marks,
        Scope scope,
        Tunnel tunnel,
        List<Mesh> meshes,
        List<InetSocketAddress> servers,
        List<InetAddress> resolvers,
        List<Prefix> lan,
        List<Port> published,
        List<Prefix> onLink,
        List<Bypass> bypasses,
        boolean hasProxy,
        List<Integer> earlierUdpPorts,
        OptionalInt forwardedPort,
        List<Integer> loopbackPorts,
        List<Prefix> gatewayClients,
        OptionalInt dnsPort) {

    /** What the kill switch covers. */
    public enum Scope {
        /**
         * A container of Culvert's own: inbound packets are filtered too, and exit-node clients' packets are
         * masqueraded.
         */
        NODE,
        /**
         * Any machine with a tunnel: neither its own nor forwarded packets leave outside the tunnel. Inbound
         * connections and replies to them are not restricted.
         */
        TUNNEL_ONLY
    }

    /**
     * The tunnel.
     *
     * @param addresses its own addresses
     * @param families address families that it carries
     * @param exempt prefixes that are reached through it although they are within a mesh's prefixes, such as the
     *     provider's resolver
     * @param resolvers DNS servers that local processes' DNS queries to other servers are redirected to, if there is no
     *     stub; may be empty
     * @param port source port of its outer UDP packets; empty if not known: then none may leave
     */
    public record Tunnel(
            String link,
            List<InetAddress> addresses,
            Set<Family> families,
            List<Prefix> exempt,
            List<InetAddress> resolvers,
            OptionalInt port) {

        public Tunnel {
            addresses = List.copyOf(addresses);
            families = Set.copyOf(families);
            exempt = List.copyOf(exempt);
            resolvers = List.copyOf(resolvers);
        }

        public Tunnel(
                String link, List<InetAddress> addresses, Set<Family> families, List<Prefix> exempt, OptionalInt port) {
            this(link, addresses, families, exempt, List.of(), port);
        }

        List<InetAddress> resolvers(Family family) {
            return resolvers.stream()
                    .filter(resolver -> Family.of(resolver) == family)
                    .toList();
        }
    }

    /**
     * A mesh interface.
     *
     * @param addresses its own addresses, as far as they are known; the kill switch is applied again when they change
     * @param port its UDP port, reachable from the uplink
     * @param reach destinations that are reached through it and through no other link: the mesh's own addresses, and
     *     routes of its peers
     * @param subnets subnets that its peers reach outside the tunnel
     * @param masquerades whether Tailscale masquerades the packets that it forwards
     * @param serverPorts TCP ports of the destinations of Tailscale's own connections: control server and relays
     */
    public record Mesh(
            Kind kind,
            String link,
            List<InetAddress> addresses,
            OptionalInt port,
            List<Prefix> reach,
            List<Prefix> subnets,
            boolean masquerades,
            List<Integer> serverPorts) {

        public enum Kind {
            /** Its sockets carry the mark {@link Marks#TAILSCALE}. */
            TAILSCALE,
            /** Its sockets carry the mark {@link Marks#tunnel()} and are bound to its port. */
            WIREGUARD
        }

        /** The fields besides kind and link, by name. */
        public static final class MeshFields {
            public List<InetAddress> addresses = List.of();
            public OptionalInt port = OptionalInt.empty();
            public List<Prefix> reach = List.of();
            public List<Prefix> subnets = List.of();
            public boolean masquerades;
            public List<Integer> serverPorts = List.of();

            private MeshFields() {}
        }

        /** Returns the interface with the fields that {@code others} sets. */
        public static Mesh of(Kind kind, String link, Consumer<MeshFields> others) {
            MeshFields fields = new MeshFields();
            others.accept(fields);
            return new Mesh(
                    kind,
                    link,
                    fields.addresses,
                    fields.port,
                    fields.reach,
                    fields.subnets,
                    fields.masquerades,
                    fields.serverPorts);
        }

        public Mesh {
            addresses = List.copyOf(addresses);
            reach = List.copyOf(reach);
            requireNarrow(reach);
            subnets = List.copyOf(subnets);
            serverPorts = List.copyOf(serverPorts);
            requireNarrow(subnets);
        }
    }

    public KillSwitchInput {
        meshes = List.copyOf(meshes);
        servers = List.copyOf(servers);
        resolvers = List.copyOf(resolvers);
        lan = List.copyOf(lan);
        published = List.copyOf(published);
        onLink = List.copyOf(onLink);
        bypasses = List.copyOf(bypasses);
        earlierUdpPorts = List.copyOf(earlierUdpPorts);
        loopbackPorts = List.copyOf(loopbackPorts);
        gatewayClients = List.copyOf(gatewayClients);
        requireNarrow(lan);
        requireNarrow(gatewayClients);
        requireNarrow(bypasses.stream().map(Bypass::destination).toList());
        if (scope == Scope.TUNNEL_ONLY && !meshes.isEmpty()) {
            throw new IllegalArgumentException("a tunnel without a mesh has no mesh interfaces");
        }
    }

    /** The fields that may be absent, by name. */
    public static final class Fields {
        public List<Mesh> meshes = List.of();
        public List<InetSocketAddress> servers = List.of();
        public List<InetAddress> resolvers = List.of();
        public List<Prefix> lan = List.of();
        public List<Port> published = List.of();
        public List<Prefix> onLink = List.of();
        public List<Bypass> bypasses = List.of();
        public boolean hasProxy;
        public List<Integer> earlierUdpPorts = List.of();
        public OptionalInt forwardedPort = OptionalInt.empty();
        public List<Integer> loopbackPorts = List.of();
        public List<Prefix> gatewayClients = List.of();
        public OptionalInt dnsPort = OptionalInt.empty();

        private Fields() {}
    }

    /** Returns the inputs with the fields that {@code others} sets. */
    public static KillSwitchInput of(Marks marks, Scope scope, Tunnel tunnel, Consumer<Fields> others) {
        Fields fields = new Fields();
        others.accept(fields);
        return new KillSwitchInput(
                marks,
                scope,
                tunnel,
                fields.meshes,
                fields.servers,
                fields.resolvers,
                fields.lan,
                fields.published,
                fields.onLink,
                fields.bypasses,
                fields.hasProxy,
                fields.earlierUdpPorts,
                fields.forwardedPort,
                fields.loopbackPorts,
                fields.gatewayClients,
                fields.dnsPort);
    }

    /** Returns the names of the mesh interfaces. */
    List<String> meshLinks() {
        return meshes.stream().map(Mesh::link).toList();
    }

    /** Returns the suffix that makes a rule's comment unique if there are several mesh interfaces. */
    String commentSuffix(Mesh mesh) {
        return meshes.size() == 1 ? "" : ", " + mesh.link();
    }

    /** Returns the addresses of tunnel and mesh interfaces in this family. */
    List<InetAddress> innerAddresses(Family family) {
        return Stream.concat(tunnel.addresses().stream(), meshes.stream().flatMap(m -> m.addresses().stream()))
                .filter(address -> Family.of(address) == family)
                .distinct()
                .toList();
    }

    /** Returns the tunnel's own addresses in this family. */
    List<InetAddress> tunnelAddresses(Family family) {
        return tunnel.addresses().stream()
                .filter(address -> Family.of(address) == family)
                .toList();
    }

    private static void requireNarrow(List<Prefix> prefixes) {
        if (Coverage.mostlyCoveredFamily(prefixes).isPresent()) {
            throw new IllegalArgumentException(
                    prefixes + " is everything: a kill switch that allows it would block nothing");
        }
    }
}
