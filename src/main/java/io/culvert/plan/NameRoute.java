// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import java.net.InetAddress;
import java.util.List;

/** Names for which other servers than the tunnel's are queried. Domains have no trailing dot. */
public sealed interface NameRoute {

    /** Names below the suffix are queried through another link than the tunnel's. */
    record Through(String suffix, List<InetAddress> servers, String link) implements NameRoute {

        public Through {
            servers = List.copyOf(servers);
        }
    }

    /** This name, but none below it, is queried outside the tunnel, from the container's own resolvers. */
    record ExactName(String name) implements NameRoute {}

    /** Names of containers, one label below the container engine's domain, are queried outside the tunnel. */
    record Containers(String domain, List<InetAddress> servers) implements NameRoute {

        public Containers {
            servers = List.copyOf(servers);
        }
    }

    /**
     * Names of services and pods that can exist below the cluster's domain are queried outside the tunnel.
     *
     * @param search search domains, to recognize names of the internet with one of them appended
     */
    record Cluster(String domain, List<String> search, List<InetAddress> servers) implements NameRoute {

        public Cluster {
            search = List.copyOf(search);
            servers = List.copyOf(servers);
        }
    }

    /** Names without a dot, those of other containers, are queried outside the tunnel. */
    record Unqualified(List<InetAddress> servers) implements NameRoute {

        public Unqualified {
            servers = List.copyOf(servers);
        }
    }
}
