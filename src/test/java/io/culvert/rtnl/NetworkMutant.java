// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;

/**
 * A network state with one change.
 *
 * @param name what is changed, and how
 */
public record NetworkMutant(String name, Family family, NetworkState network) {}
