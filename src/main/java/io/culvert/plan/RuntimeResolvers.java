// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.dns.DnsRoute;
import io.culvert.dns.ResolvConf;
import io.culvert.dns.Upstreams;
import io.culvert.linux.Egress;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The DNS servers that the container runtime configured. They are queried for names that are needed before the tunnel is up, and
 * for names of other containers, which no other server has.
 *
 * @param servers DNS servers, on port 53
 * @param forwarded servers that Docker's own resolver forwards other queries to
 * @param search search domains of the runtime's resolv.conf
 */
public record RuntimeResolvers(List<InetAddress> servers, List<InetAddress> forwarded, List<String> search) {

    /** No DNS servers. */
    public static final RuntimeResolvers NONE = new RuntimeResolvers(List.of(), List.of());

    /** Docker's own resolver, in every network but the default one (moby: libnetwork, resolverIPSandbox). */
    private static final InetAddress DOCKER = Prefix.parseAddress("127.0.0.11");

    /** The domain of the names of Podman's containers (netavark; aardvark-dns). */
    private static final String PODMAN = "dns.podman";

    /**
     * Networks of resolvers of container engines and clusters, in addition to networks that the container is connected to. Servers
     * with any other address are on the internet, and are not queried for names of containers.
     */
    private static final List<Prefix> LOCAL_RANGES = SpecialRange.prefixes(
            SpecialRange.LOOPBACK_IPV4,
            SpecialRange.PRIVATE_10,
            SpecialRange.PRIVATE_172,
            SpecialRange.PRIVATE_192,
            SpecialRange.SHARED,
            SpecialRange.LINK_LOCAL_IPV4,
            SpecialRange.LOOPBACK_IPV6,
            SpecialRange.UNIQUE_LOCAL,
            SpecialRange.LINK_LOCAL_IPV6);

    /** No real connected network is larger. A larger route may have been injected in order to receive the queries. */
    private static final int MIN_LENGTH_IPV4 = 8;

    private static final int MIN_LENGTH_IPV6 = 32;

    public RuntimeResolvers {
        servers = List.copyOf(servers);
        forwarded = List.copyOf(forwarded);
        search = List.copyOf(search);
    }

    public RuntimeResolvers(List<InetAddress> servers, List<String> search) {
        this(servers, List.of(), search);
    }

    /** Returns all DNS servers that bootstrap DNS queries may be sent to. */
    public List<InetAddress> all() {
        return Stream.concat(servers.stream(), forwarded.stream()).distinct().toList();
    }

    /** Returns the servers for a name, as {@link ResolvConf#serversFor(String)} does. */
    List<InetAddress> serversFor(String name) {
        return ResolvConf.serversFor(name, servers, forwarded);
    }

    /** Returns whether an address is on this machine, in a private network, or in a connected network. */
    public static boolean isLocal(InetAddress address, List<Prefix> connected) {
        return Stream.concat(LOCAL_RANGES.stream(), connected.stream().filter(RuntimeResolvers::isNetwork))
                .anyMatch(prefix -> prefix.contains(address));
    }

    private static boolean isNetwork(Prefix connected) {
        return connected.length() >= (connected.family() == Family.IPV4 ? MIN_LENGTH_IPV4 : MIN_LENGTH_IPV6);
    }

    /**
     * Returns the names of other containers and the servers that are queried for them. A search domain alone is not sufficient: if
     * it exists on the internet too, queries for internet names below it would leak outside the tunnel.
     *
     * @param connected networks that the machine is connected to
     * @param outsideTunnel how the queries leave
     */
    List<DnsRoute> routes(List<Prefix> connected, Egress outsideTunnel) {
        List<InetAddress> local =
                servers.stream().filter(server -> isLocal(server, connected)).toList();
        List<DnsRoute> routes = new ArrayList<>();
        if (local.isEmpty()) {
            return routes;
        }
        Upstreams upstreams = Upstreams.of(local, outsideTunnel);
        List<String> domains = search.stream()
                .map(domain -> domain.toLowerCase(Locale.ROOT).replaceAll("\\.$", ""))
                .toList();
        if (domains.contains(PODMAN)) {
            routes.add(new DnsRoute.Containers(PODMAN, upstreams));
        }
        clusterDomains(domains).forEach(domain -> routes.add(new DnsRoute.Cluster(domain, domains, upstreams)));
        if (servers.contains(DOCKER)) {
            routes.add(new DnsRoute.Unqualified(Upstreams.of(List.of(DOCKER), outsideTunnel)));
        }
        return routes;
    }

    /**
     * Returns the cluster domains. A pod's search list begins with {@code namespace.svc.zone svc.zone zone} (Kubernetes: DNS for
     * Services and Pods). One of the three alone does not identify a cluster.
     */
    private static List<String> clusterDomains(List<String> domains) {
        return domains.stream()
                .filter(domain -> domain.startsWith("svc."))
                .filter(domain -> domains.stream()
                        .anyMatch(other -> other.endsWith("." + domain)
                                && other.indexOf('.') == other.length() - domain.length() - 1))
                .map(domain -> domain.substring("svc.".length()))
                .filter(zone -> !zone.isEmpty())
                .distinct()
                .toList();
    }
}
