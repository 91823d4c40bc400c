package io.culvert.dns;

/** Names that other servers are asked for, such as those of a mesh. */
public sealed interface DnsRoute {

    Upstreams upstreams();

    /** @param suffix a domain, such as {@code tailnet.example}; it and everything below it is meant */
    record Below(String suffix, Upstreams upstreams) implements DnsRoute {}

    /** Names of one label, as other containers have; where no suffix is meant. */
    record Unqualified(Upstreams upstreams) implements DnsRoute {}
}
