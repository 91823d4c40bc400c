package io.culvert.topology;

import io.culvert.ip.Prefix;

/**
 * A network behind a peer.
 *
 * @param masquerade whether packets from the mesh bear the peer's own address there, for networks that know no way back
 */
record SiteRoute(Written<Prefix> to, boolean masquerade) {}
