// SPDX-License-Identifier: Apache-2.0
package io.culvert.mesh;

import io.culvert.diagnostics.Log;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ResolvedNames;
import io.culvert.plan.WireGuardMeshInterface;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.ManagedDevice;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * WireGuard interfaces whose peers (phones, routers) use this node as their exit node: one, or one for each
 * of the node's subnets in a network file.
 */
public final class WireGuardMesh implements Mesh {

    private final Function<String, ManagedDevice> device;
    private final long mark;
    private final Supplier<ResolvedNames> names;
    private final Clock clock;
    private final Log log;
    private final SequencedMap<String, MeshDevice> devices = new LinkedHashMap<>();

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
        this.device = device;
        this.mark = mark;
        this.names = names;
        this.clock = clock;
        this.log = log;
        setInterfaces(meshes);
    }

    /** Uses changed interfaces: the next {@link #attach} creates and changes them; those that are gone are removed now. */
    public void setInterfaces(List<WireGuardMeshInterface> meshes) {
        Set<String> links = meshes.stream().map(WireGuardMeshInterface::link).collect(Collectors.toSet());
        devices.entrySet().removeIf(entry -> {
            boolean gone = !links.contains(entry.getKey());
            if (gone) {
                entry.getValue().remove();
            }
            return gone;
        });
        for (WireGuardMeshInterface mesh : meshes) {
            MeshDevice existing = devices.get(mesh.link());
            if (existing == null) {
                devices.put(mesh.link(), new MeshDevice(mesh, device.apply(mesh.link()), mark, clock, log));
            } else {
                existing.setDefinition(mesh);
            }
        }
    }

    @Override
    public void attach(ExitNodePlan plan) {
        ResolvedNames resolvedNames = names.get();
        devices.forEach((link, it) ->
                Optional.ofNullable(plan.meshes().get(link)).ifPresent(config -> it.ensure(config, resolvedNames)));
    }

    @Override
    public void announceNewAddresses() {
        devices.values().forEach(MeshDevice::announceNewAddresses);
    }

    @Override
    public Map<String, DeviceState> devices() {
        Map<String, DeviceState> states = new LinkedHashMap<>();
        devices.forEach((link, mesh) -> mesh.read().ifPresent(state -> states.put(link, state)));
        return states;
    }

    @Override
    public String describe() {
        return devices.values().stream()
                .map(it -> it.describe(/* withSubnet= */ devices.size() > 1))
                .collect(Collectors.joining("; "));
    }

    @Override
    public void detach() {
        devices.sequencedValues().reversed().forEach(MeshDevice::remove);
    }
}
