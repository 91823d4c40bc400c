// SPDX-License-Identifier: Apache-2.0
package io.culvert.mesh;

import io.culvert.diagnostics.Log;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ResolvedNames;
import io.culvert.plan.WireGuardMeshInterface;
import io.culvert.wireguard.device.ManagedDevice;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * WireGuard interfaces whose peers (phones, routers) use this node as their exit node: one, or one for each
 * of the node's subnets in a network file.
 */
public final class WireGuardMesh implements Mesh {

    private final List<MeshDevice> devices;
    private final Supplier<ResolvedNames> names;

    /**
     * @param device returns the device for an interface name, without creating it yet
     * @param mark the firewall mark of the packets that the interfaces send
     * @param names supplies the current addresses of host names
     */
    public WireGuardMesh(
            List<WireGuardMeshInterface> meshes,
            Function<String, ManagedDevice> device,
            long mark,
            Supplier<ResolvedNames> names,
            Clock clock,
            Log log) {
        this.devices = meshes.stream()
                .map(mesh -> new MeshDevice(mesh, device.apply(mesh.link()), mark, clock, log))
                .toList();
        this.names = names;
    }

    @Override
    public void attach(ExitNodePlan plan) {
        ResolvedNames resolvedNames = names.get();
        devices.forEach(device -> Optional.ofNullable(plan.meshes().get(device.link()))
                .ifPresent(config -> device.ensure(config, resolvedNames)));
    }

    @Override
    public void announceNewAddresses() {
        devices.forEach(MeshDevice::announceNewAddresses);
    }

    @Override
    public String describe() {
        return devices.stream()
                .map(device -> device.describe(/* withSubnet= */ devices.size() > 1))
                .collect(Collectors.joining("; "));
    }

    @Override
    public void detach() {
        devices.reversed().forEach(MeshDevice::remove);
    }
}
