package io.culvert.mesh;

import io.culvert.plan.ExitNodePlan;

/** The mesh side of the chain: an interface whose peers use this node as their exit. */
public interface Mesh {

    /** Makes the mesh as planned; safe to repeat, and how a changed plan is followed. */
    void chain(ExitNodePlan plan);

    /** What it is, in a few words for people, read now. */
    String describe();

    /** Takes the mesh down; safe to repeat. */
    void unchain();
}
