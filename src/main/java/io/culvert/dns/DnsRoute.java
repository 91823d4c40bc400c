package io.culvert.dns;

import java.util.List;

/** Names that other servers are asked for, such as those of a mesh. */
public sealed interface DnsRoute {

    Upstreams upstreams();

    /** @param suffix a domain, such as {@code tailnet.example}; it and everything below it is meant */
    record Below(String suffix, Upstreams upstreams) implements DnsRoute {}

    /** One name, and nothing below it. */
    record Exactly(String name, Upstreams upstreams) implements DnsRoute {}

    /** Names of containers: one label below a domain. What else is below it does not exist. */
    record Containers(String domain, Upstreams upstreams) implements DnsRoute {}

    /**
     * Names of a cluster's services and pods. What else is below its domain does not exist.
     *
     * @param search the search list of the container's resolv.conf
     */
    record Cluster(String domain, List<String> search, Upstreams upstreams) implements DnsRoute {

        public Cluster {
            search = List.copyOf(search);
        }
    }

    /** Addresses of names of one label, as other containers have; where no other route is meant. */
    record Unqualified(Upstreams upstreams) implements DnsRoute {}
}
