package io.culvert.network;

/**
 * What is wanted of a link of ours that exists already (its device made it).
 *
 * @param mtu in bytes
 * @param alias our mark, {@code IFLA_IFALIAS}
 */
public record Link(String name, int mtu, String alias) {}
