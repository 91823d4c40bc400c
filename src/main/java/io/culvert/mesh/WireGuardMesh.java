package io.culvert.mesh;

import io.culvert.device.KeptDevice;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Names;
import io.culvert.plan.PlainMesh;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * WireGuard interfaces whose peers (phones, routers) use this node as their exit node: one, or one for each
 * of the node's subnets in a network file.
 */
public final class WireGuardMesh implements Mesh {

    private final List<MeshDevice> devices;
    private final Supplier<Names> names;

    /**
     * @param device returns the device for an interface name, without creating it yet
     * @param mark the firewall mark of the packets that the interfaces send
     * @param names supplies the current addresses of host names
     */
    public WireGuardMesh(
            List<PlainMesh> meshes,
            Function<String, KeptDevice> device,
            long mark,
            Supplier<Names> names,
            Clock clock,
            Consumer<String> news) {
        this.devices = meshes.stream()
                .map(mesh -> new MeshDevice(mesh, device.apply(mesh.link()), mark, clock, news))
                .toList();
        this.names = names;
    }

    @Override
    public void chain(ExitNodePlan plan) {
        Names known = names.get();
        devices.forEach(device ->
                Optional.ofNullable(plan.meshes().get(device.link())).ifPresent(wanted -> device.keep(wanted, known)));
    }

    @Override
    public void announce() {
        devices.forEach(MeshDevice::announce);
    }

    @Override
    public String describe() {
        return devices.stream()
                .map(device -> device.describe(/* named= */ devices.size() > 1))
                .collect(Collectors.joining("; "));
    }

    @Override
    public void unchain() {
        devices.reversed().forEach(MeshDevice::remove);
    }
}
