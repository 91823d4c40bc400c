// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

/**
 * The desired configuration of an existing link of Culvert (its device created it).
 *
 * @param mtu in bytes
 * @param alias the owner's mark, {@code IFLA_IFALIAS}
 */
public record LinkSpec(String name, int mtu, String alias) {}
