package io.culvert.mesh;

import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Tailnet;
import io.culvert.process.ChildEvent;

/** The mesh side of the chain: an interface whose peers use this node as their exit. */
public interface Mesh {

    /** Makes the mesh as planned; safe to repeat, and how a changed plan is followed. */
    void chain(ExitNodePlan plan);

    /** The machine has other addresses or routes now, which peers are to learn. */
    default void announce() {}

    /** The tunnel has had its first handshake: from now on peers may exit here. Safe to repeat. */
    default void offerExit() {}

    /** Something happened to a child, perhaps one of the mesh's. */
    default void heard(ChildEvent what) {}

    /** Whether it explains in its own words what this child says, of which much sounds worse than it is. */
    default boolean explains(String child) {
        return false;
    }

    /** The network of a Tailscale mesh, as far as it is known by now. */
    default Tailnet tailnet() {
        return Tailnet.UNKNOWN;
    }

    /** What it is, in a few words for people, read now. */
    String describe();

    /** Takes the mesh down; safe to repeat. */
    void unchain();
}
