package io.culvert.mesh;

import io.culvert.device.DeviceState;
import io.culvert.device.KeptDevice;
import io.culvert.plan.ExitNodePlan;

/** A second WireGuard interface, whose peers (phones, routers) use this node as their exit. */
public final class WireGuardMesh implements Mesh {

    private final KeptDevice device;

    public WireGuardMesh(KeptDevice device) {
        this.device = device;
    }

    @Override
    public void chain(ExitNodePlan plan) {
        plan.mesh().ifPresent(device::keep);
    }

    @Override
    public String describe() {
        return device.read()
                .map(state -> ExitNodePlan.MESH + ", " + device.implementation() + ", port " + state.listenPort() + ", "
                        + connected(state) + " of " + state.peers().size() + " clients have connected")
                .orElse(ExitNodePlan.MESH + " is down");
    }

    private static long connected(DeviceState state) {
        return state.peers().stream()
                .filter(peer -> peer.lastHandshake().isPresent())
                .count();
    }

    @Override
    public void unchain() {
        device.remove();
    }
}
