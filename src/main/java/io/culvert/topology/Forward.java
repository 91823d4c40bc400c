package io.culvert.topology;

import io.culvert.ip.Prefix;
import java.util.List;

/**
 * Packets that a node passes on for others. Answers to them go back the same way; nothing else is passed on.
 *
 * @param device the mesh interface
 * @param sources whose packets; of both families
 * @param destinations where to; of both families
 * @param masquerade whether they bear the node's own address from then on
 */
public record Forward(
        Direction direction, String device, List<Prefix> sources, List<Prefix> destinations, boolean masquerade) {

    public Forward {
        sources = List.copyOf(sources);
        destinations = List.copyOf(destinations);
    }

    /** Which way. */
    public enum Direction {
        /** From the mesh to the internet, by the node's own way there. */
        EXIT,
        /** From the mesh to networks behind the node, or to others in the mesh where a route of the node covers them. */
        INWARD,
        /** From the networks behind the node into the mesh. */
        OUTWARD
    }
}
