// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.util.List;

/** Names with upstream servers of their own, such as those of a mesh. Domains may have a trailing dot. */
public sealed interface DnsRoute {

    Upstreams upstreams();

    /** @param suffix a domain, such as {@code tailnet.example}; matches it and everything below it */
    record Suffix(String suffix, Upstreams upstreams) implements DnsRoute {}

    /** One name, without those below it. */
    record ExactName(String name, Upstreams upstreams) implements DnsRoute {}

    /** Names of containers: one label below a domain. Other names below it do not exist. */
    record Containers(String domain, Upstreams upstreams) implements DnsRoute {}

    /**
     * Names of a cluster's services and pods. Other names below its domain do not exist.
     *
     * @param search the search list of the container's resolv.conf
     */
    record Cluster(String domain, List<String> search, Upstreams upstreams) implements DnsRoute {

        public Cluster {
            search = List.copyOf(search);
        }
    }

    /** Addresses of single-label names, such as those of other containers, if no other route matches. */
    record Unqualified(Upstreams upstreams) implements DnsRoute {}
}
