package io.culvert.dns;

/**
 * Names that other servers are asked for, such as those of a mesh.
 *
 * @param suffix a domain, such as {@code tailnet.example}; it and everything below it is meant
 */
public record DnsRoute(String suffix, Upstreams upstreams) {}
