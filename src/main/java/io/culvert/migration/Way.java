package io.culvert.migration;

/**
 * The path to an endpoint candidate.
 *
 * @param signature identifies the path: link, gateway or neighbour, source address; empty where there is no path
 */
public record Way(Reach reach, String signature) {

    public static final Way NONE = new Way(Reach.NONE, "");

    /** How the kernel reaches the address. */
    public enum Reach {
        /** No route. */
        NONE,
        /** On a connected network where no host has answered for the address. */
        SILENT,
        /** On a connected network where a host has answered for the address. */
        NEAR,
        /** Through a router. */
        FAR
    }

    boolean isNear() {
        return reach == Reach.NEAR;
    }

    /** Returns whether it is on a connected network, answered for or not. */
    boolean isOnLink() {
        return reach == Reach.NEAR || reach == Reach.SILENT;
    }
}
