package io.culvert.plan;

import java.net.InetAddress;
import java.util.List;

/** Names for which others than the tunnel's servers are asked. Domains have no final dot. */
public sealed interface NameRoute {

    /** Through another link than the tunnel's: all below the suffix. */
    record Through(String suffix, List<InetAddress> servers, String link) implements NameRoute {

        public Through {
            servers = List.copyOf(servers);
        }
    }

    /** Outside the tunnel, of the container's own resolvers, whatever they are: this name, and nothing below it. */
    record Exactly(String name) implements NameRoute {}

    /** Outside the tunnel: names of containers, which are one label below the engine's domain. */
    record Containers(String domain, List<InetAddress> servers) implements NameRoute {

        public Containers {
            servers = List.copyOf(servers);
        }
    }

    /**
     * Outside the tunnel: names of services and pods that can exist below the cluster's domain.
     *
     * @param search by which names of the internet with a search domain appended are recognized
     */
    record Cluster(String domain, List<String> search, List<InetAddress> servers) implements NameRoute {

        public Cluster {
            search = List.copyOf(search);
            servers = List.copyOf(servers);
        }
    }

    /** Outside the tunnel: addresses of names without a dot, of other containers. */
    record Unqualified(List<InetAddress> servers) implements NameRoute {

        public Unqualified {
            servers = List.copyOf(servers);
        }
    }
}
