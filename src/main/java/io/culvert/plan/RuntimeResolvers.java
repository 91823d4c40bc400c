// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
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
     * Networks of resolvers of container engines and clusters, in addition to networks that the container is connected to: RFC
     * 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 and loopback. Servers with any other address are on the internet, and are not
     * queried for names of containers.
     */
    private static final List<Prefix> LOCAL_RANGES = Stream.of(
                    "127.0.0.0/8",
                    "10.0.0.0/8",
                    "172.16.0.0/12",
                    "192.168.0.0/16",
                    "100.64.0.0/10",
                    "169.254.0.0/16",
                    "::1/128",
                    "fc00::/7",
                    "fe80::/10")
            .map(Prefix::parse)
            .toList();

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
    List<InetAddress> all() {
        return Stream.concat(servers.stream(), forwarded.stream()).distinct().toList();
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
     */
    List<NameRoute> routes(List<Prefix> connected) {
        List<InetAddress> local =
                servers.stream().filter(server -> isLocal(server, connected)).toList();
        List<NameRoute> routes = new ArrayList<>();
        if (local.isEmpty()) {
            return routes;
        }
        List<String> domains = search.stream()
                .map(domain -> domain.toLowerCase(Locale.ROOT).replaceAll("\\.$", ""))
                .toList();
        if (domains.contains(PODMAN)) {
            routes.add(new NameRoute.Containers(PODMAN, local));
        }
        clusterDomains(domains).forEach(domain -> routes.add(new NameRoute.Cluster(domain, domains, local)));
        if (servers.contains(DOCKER)) {
            routes.add(new NameRoute.Unqualified(List.of(DOCKER)));
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
