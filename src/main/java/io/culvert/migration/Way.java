package io.culvert.migration;

/**
 * How this machine would reach a place now.
 *
 * @param signature what tells this way from another: link, gateway or neighbour, own address; empty where there is none
 */
public record Way(Reach reach, String signature) {

    public static final Way NONE = new Way(Reach.NONE, "");

    /** What the kernel says of the way. */
    public enum Reach {
        /** No route leads there. */
        NONE,
        /** It would be on a link of ours, but nobody there has answered for the address. */
        SILENT,
        /** Somebody on a link of ours has answered for the address. */
        NEAR,
        /** By way of a router. */
        FAR
    }

    boolean isNear() {
        return reach == Reach.NEAR;
    }

    /** Whether it is on a link of ours, answered for or not. */
    boolean isOnLink() {
        return reach == Reach.NEAR || reach == Reach.SILENT;
    }
}
