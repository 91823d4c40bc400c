// SPDX-License-Identifier: Apache-2.0
package io.culvert.mesh;

import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Tailnet;
import io.culvert.process.ChildEvent;
import io.culvert.wireguard.device.DeviceState;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;

/** The mesh of an exit node: interfaces whose peers use this node as their exit node. */
public interface Mesh {

    /** Brings the mesh up as planned, or applies a changed plan. Idempotent. */
    void attach(ExitNodePlan plan);

    /** Informs peers after this machine's addresses or routes have changed. */
    default void announceNewAddresses() {}

    /** Advertises this node as an exit node, after the tunnel's first handshake. Idempotent. */
    default void offerExit() {}

    /** Ends the advertisement as an exit node, after the tunnel was lost. Idempotent. */
    default void withdrawExit() {}

    /**
     * Checks, on any thread, that the mesh's program responds, where it has one.
     *
     * @throws IOException if it does not within the timeout
     */
    default void checkResponds(Duration timeout) throws IOException {}

    /** Kills the mesh's program, which hangs, on any thread; it is restarted. */
    default void killUnresponsive() {}

    /** Handles an event of a child process, which may be one of the mesh. */
    default void handle(ChildEvent event) {}

    /** Returns whether the mesh reports the messages of this child process itself, instead of its raw output. */
    default boolean reportsItself(String child) {
        return false;
    }

    /** Returns the tailnet as far as it is known. */
    default Tailnet tailnet() {
        return Tailnet.UNKNOWN;
    }

    /** Returns the state of its WireGuard devices that respond, by the names of their links. */
    default Map<String, DeviceState> devices() {
        return Map.of();
    }

    /** Returns a short description of its current state for the log and status. */
    String describe();

    /** Takes the mesh down. Idempotent. */
    void detach();
}
