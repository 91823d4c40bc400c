package io.culvert.plan;

import io.culvert.ip.Coverage;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the guard must know. The uplink is not among it: every link but the loopback, the tunnel and the mesh counts as one.
 *
 * @param meshes the mesh's interfaces; what comes by one of them never leaves by another
 * @param servers where the tunnel's outer packets may go now, and nowhere else
 * @param resolvers who is asked, on port 53, for the names that are needed before the tunnel is up
 * @param lan networks that local processes reach and are reached from beside the tunnel
 * @param published ports that answer whoever comes by the uplink; the tunnel's own {@code ListenPort} too, where the server may
 *     be the one who begins
 * @param onLink the networks of the uplinks, where neighbours are
 * @param holes what local processes reach beside the tunnel
 * @param proxied whether clients of a proxy leave from the tunnel's address
 * @param earlierUdp in {@link Scope#TUNNEL_ONLY}, the local UDP ports in use before there was a kill switch: what comes to them
 *     at first may belong to a conversation that began before, here or there
 * @param dnsPort where our DNS stub listens, on the loopback and the mesh; empty: nobody's questions are redirected
 */
public record GuardInput(
        Marks marks,
        Scope scope,
        Tunnel tunnel,
        List<Mesh> meshes,
        List<InetSocketAddress> servers,
        List<InetAddress> resolvers,
        List<Prefix> lan,
        List<Port> published,
        List<Prefix> onLink,
        List<Hole> holes,
        boolean proxied,
        List<Integer> earlierUdp,
        OptionalInt dnsPort) {

    /** How much is guarded. */
    public enum Scope {
        /** A container that is ours: what comes in is guarded as well, and the mesh's exit traffic is translated. */
        NODE,
        /**
         * Any machine with a tunnel: nothing leaves beside it, neither its own packets nor forwarded ones; what comes in and is
         * answered is not our affair.
         */
        TUNNEL_ONLY
    }

    /**
     * @param addresses its own
     * @param families which it carries
     * @param exempt what is reached through it although it lies within a mesh's reach, such as the provider's resolver
     * @param resolvers where DNS queries of local processes are led that are meant for others, where there is no stub; may be empty
     * @param port the UDP port that its outer packets come from; empty: not known, and none may leave
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
     * An interface of the mesh.
     *
     * @param addresses its own, as far as they are known; the guard is applied anew when they change
     * @param port its UDP port, reached by the uplink
     * @param reach where packets may go by it, and by no other link: the mesh's own addresses, and routes of its peers
     * @param subnets that its peers reach past the tunnel
     * @param translated whether Tailscale gives what it forwards another source address
     * @param servers TCP ports that Tailscale's own connections go to: those of the control server and of relays
     */
    public record Mesh(
            Kind kind,
            String link,
            List<InetAddress> addresses,
            OptionalInt port,
            List<Prefix> reach,
            List<Prefix> subnets,
            boolean translated,
            List<Integer> servers) {

        public enum Kind {
            /** Its sockets bear {@link Marks#TAILSCALE}. */
            TAILSCALE,
            /** Its sockets bear {@link Marks#tunnel()} and are bound to its port. */
            WIREGUARD
        }

        public Mesh {
            addresses = List.copyOf(addresses);
            reach = List.copyOf(reach);
            requireNarrow(reach);
            subnets = List.copyOf(subnets);
            servers = List.copyOf(servers);
            requireNarrow(subnets);
        }
    }

    /** @param number 1 to 65535 */
    public record Port(Transport transport, int number) {

        public Port {
            if (number < 1 || number > 65535) {
                throw new IllegalArgumentException("port " + number + " is outside 1 to 65535");
            }
        }
    }

    /**
     * A way past the tunnel.
     *
     * @param transport empty: any, or TCP and UDP where there is a port
     * @param port empty: any, except for DNS
     */
    public record Hole(Prefix to, Optional<Transport> transport, OptionalInt port) {

        public Hole {
            requireNarrow(List.of(to));
        }
    }

    public GuardInput {
        meshes = List.copyOf(meshes);
        servers = List.copyOf(servers);
        resolvers = List.copyOf(resolvers);
        lan = List.copyOf(lan);
        published = List.copyOf(published);
        onLink = List.copyOf(onLink);
        holes = List.copyOf(holes);
        earlierUdp = List.copyOf(earlierUdp);
        requireNarrow(lan);
        requireNarrow(holes.stream().map(Hole::to).toList());
        if (scope == Scope.TUNNEL_ONLY && !meshes.isEmpty()) {
            throw new IllegalArgumentException("the tunnel alone has no mesh");
        }
    }

    /** The names of the mesh's interfaces. */
    List<String> meshLinks() {
        return meshes.stream().map(Mesh::link).toList();
    }

    /** Tells an interface of the mesh from the others, where there are any; for the end of a rule's name. */
    String which(Mesh mesh) {
        return meshes.size() == 1 ? "" : ", " + mesh.link();
    }

    /** The addresses of tunnel and mesh that are of this family. */
    List<InetAddress> innerAddresses(Family family) {
        return Stream.concat(tunnel.addresses().stream(), meshes.stream().flatMap(m -> m.addresses().stream()))
                .filter(address -> Family.of(address) == family)
                .distinct()
                .toList();
    }

    /** The tunnel's own addresses that are of this family. */
    List<InetAddress> tunnelAddresses(Family family) {
        return tunnel.addresses().stream()
                .filter(address -> Family.of(address) == family)
                .toList();
    }

    private static void requireNarrow(List<Prefix> prefixes) {
        if (Coverage.mostOf(prefixes).isPresent()) {
            throw new IllegalArgumentException(prefixes + " is everything: a guard with it would guard nothing");
        }
    }
}
