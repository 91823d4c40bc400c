// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.dns.DnsRoute;
import io.culvert.dns.Upstreams;
import io.culvert.linux.Egress;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The desired state of an exit node's DNS stub.
 *
 * @param servers DNS servers that it queries through the tunnel
 * @param routes names that other servers are queried for
 * @param stubAddresses addresses on which it listens for local processes
 */
public record DnsPlan(List<InetAddress> servers, List<DnsRoute> routes, List<InetAddress> stubAddresses) {

    /** Resolvers that are queried through the tunnel if neither file nor settings name one: Quad9's. */
    static final List<InetAddress> PUBLIC_RESOLVERS =
            List.of(Prefix.parseAddress("9.9.9.9"), Prefix.parseAddress("2620:fe::fe"));

    /** Tailscale's own resolver (tailscale: net/tsaddr, TailscaleServiceIP). */
    private static final InetAddress TAILNET_RESOLVER = Prefix.parseAddress("100.100.100.100");

    public DnsPlan {
        servers = List.copyOf(servers);
        routes = List.copyOf(routes);
        stubAddresses = List.copyOf(stubAddresses);
    }

    /** @param carried the address families that the tunnel carries */
    static DnsPlan of(ExitNodeInputs inputs, List<MeshInterface> meshes, Set<Family> carried) {
        return new DnsPlan(servers(inputs, carried), routes(inputs, meshes), stubAddresses(inputs));
    }

    /** Returns the DNS servers in the families that the tunnel carries; public ones if there are none. */
    private static List<InetAddress> servers(ExitNodeInputs inputs, Set<Family> carried) {
        List<InetAddress> configured = inputs.settings().dns();
        List<InetAddress> usable =
                inFamilies(configured.isEmpty() ? inputs.server().dnsServers() : configured, carried);
        return usable.isEmpty() ? inFamilies(PUBLIC_RESOLVERS, carried) : usable;
    }

    private static List<InetAddress> inFamilies(List<InetAddress> servers, Set<Family> families) {
        return servers.stream()
                .filter(server -> families.contains(Family.of(server)))
                .toList();
    }

    /**
     * Returns the names that other DNS servers are queried for: names of the tailnet from Tailscale's own resolver,
     * and, from the runtime's resolvers, the control server's name, which is needed before the tunnel is up and may
     * exist on the local network only, and names of other containers, which no other server has.
     */
    private static List<DnsRoute> routes(ExitNodeInputs inputs, List<MeshInterface> meshes) {
        List<DnsRoute> routes = new ArrayList<>();
        Marks marks = inputs.identity().marks();
        Egress outsideTunnel = Egress.marked(marks.tunnel());
        meshes.forEach(mesh -> inputs.tailnet()
                .suffix()
                .ifPresent(suffix -> routes.add(new DnsRoute.Suffix(
                        suffix,
                        Upstreams.of(
                                List.of(TAILNET_RESOLVER),
                                Egress.marked(marks.stub()).boundTo(mesh.link()))))));
        RuntimeResolvers resolvers = inputs.resolvers();
        controlServerName(inputs)
                .filter(_ -> !resolvers.servers().isEmpty())
                .ifPresent(name -> routes.add(new DnsRoute.ExactName(
                        name.name(), Upstreams.of(resolvers.serversFor(name.name()), outsideTunnel))));
        routes.addAll(resolvers.routes(inputs.machine().connected(), outsideTunnel));
        return routes;
    }

    /** Returns the name of Tailscale's control server, which is reached outside the tunnel and before it is up. */
    private static Optional<Host.Name> controlServerName(ExitNodeInputs inputs) {
        return inputs.settings()
                .mesh()
                .tailscale()
                .map(it -> it.controlServer().host())
                .flatMap(host -> switch (host) {
                    case Host.Name name -> Optional.of(name);
                    case Host.Literal _ -> Optional.empty();
                });
    }

    private static List<InetAddress> stubAddresses(ExitNodeInputs inputs) {
        List<InetAddress> addresses = new ArrayList<>();
        addresses.add(Prefix.parseAddress("127.0.0.1"));
        if (inputs.machine().ipv6().loopback()) {
            addresses.add(Prefix.parseAddress("::1"));
        }
        return addresses;
    }
}
