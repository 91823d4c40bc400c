package io.culvert.plan;

import io.culvert.ip.Prefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The resolvers that the container's runtime named. They know what nobody else can: names that are needed before the tunnel
 * is up, and those of other containers.
 *
 * @param search domains of the runtime's resolv.conf
 */
public record RuntimeResolvers(List<InetAddress> servers, List<String> search) {

    /** Docker's own, in every network but the default one (moby: libnetwork, resolverIPSandbox). */
    private static final InetAddress DOCKER = Prefix.parseAddress("127.0.0.11");

    /** Where Podman's containers have their names (netavark; aardvark-dns). */
    private static final String PODMAN = "dns.podman";

    /** What a pod's search list has before the cluster's own domain (Kubernetes: DNS for Services and Pods). */
    private static final String SERVICES = "svc.";

    public RuntimeResolvers {
        servers = List.copyOf(servers);
        search = List.copyOf(search);
    }

    /**
     * Where this engine's names end. A search domain alone is not enough: names below one that the internet knows, too, would
     * be told to who must not hear them.
     */
    List<String> engineDomains() {
        List<String> domains = new ArrayList<>();
        if (!servers.isEmpty()) {
            for (String given : search) {
                String domain = given.toLowerCase(Locale.ROOT).replaceAll("\\.$", "");
                if (domain.equals(PODMAN)) {
                    domains.add(domain);
                } else if (domain.startsWith(SERVICES)) {
                    domains.add(domain.substring(SERVICES.length()));
                }
            }
        }
        return domains;
    }

    /** Whether other containers have names without a dot. */
    boolean knowsUnqualifiedNames() {
        return servers.contains(DOCKER);
    }
}
