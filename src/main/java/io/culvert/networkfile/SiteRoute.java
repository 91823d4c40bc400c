// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;

/**
 * A network behind a peer.
 *
 * @param masquerade whether packets from the mesh get the peer's own address there, for networks without a return route
 */
record SiteRoute(LocatedValue<Prefix> to, boolean masquerade) {}
