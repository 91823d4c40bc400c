// SPDX-License-Identifier: Apache-2.0
package io.culvert.roaming;

/**
 * The path to an endpoint candidate.
 *
 * @param signature identifies the path: link, gateway or neighbour, source address; empty where there is no path
 */
public record Path(Reach reach, String signature) {

    public static final Path NONE = new Path(Reach.NONE, "");

    /** How the kernel reaches the address. */
    public enum Reach {
        /** No route. */
        NONE,
        /** On a connected network where no host has answered for the address. */
        UNRESOLVED,
        /** On a connected network where a host has answered for the address. */
        ON_LINK,
        /** Through a router. */
        ROUTED
    }

    boolean isOnLink() {
        return reach == Reach.ON_LINK;
    }

    /** Returns whether it is on a connected network, answered for or not. */
    boolean isOnConnectedNetwork() {
        return reach == Reach.ON_LINK || reach == Reach.UNRESOLVED;
    }
}
