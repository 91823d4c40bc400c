// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;
import java.util.List;

/**
 * Packets that a node forwards for its peers. Replies are forwarded too; nothing else is.
 *
 * @param device the mesh interface
 * @param sources of the packets, of both families
 * @param destinations of the packets, of both families
 * @param masquerade whether their source becomes the node's own address
 */
public record Forward(
        Direction direction, String device, List<Prefix> sources, List<Prefix> destinations, boolean masquerade) {

    public Forward {
        sources = List.copyOf(sources);
        destinations = List.copyOf(destinations);
    }

    /** The direction of forwarding. */
    public enum Direction {
        /** From the mesh to the internet, by the node's own default route. */
        EXIT,
        /** From the mesh to networks behind the node, or to peers that a route of the node covers. */
        INWARD,
        /** From networks behind the node into the mesh. */
        OUTWARD
    }
}
