package io.culvert.topology;

import io.culvert.ip.Prefix;

/**
 * A network behind a peer.
 *
 * @param masquerade whether packets from the mesh get the peer's own address there, for networks without a return route
 */
record SiteRoute(Written<Prefix> to, boolean masquerade) {}
