package io.culvert.mesh;

import io.culvert.device.DeviceState;
import io.culvert.device.KeptDevice;
import io.culvert.ip.Endpoint;
import io.culvert.migration.Migration;
import io.culvert.migration.MovingPeer;
import io.culvert.migration.Standing;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.Names;
import io.culvert.topology.MeshLink;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A second WireGuard interface, whose peers (phones, routers) use this node as their exit. Where a network file says in which
 * places they may be found, they are kept at the best of them.
 */
public final class WireGuardMesh implements Mesh {

    private final KeptDevice device;
    private final List<MeshLink> links;
    private final long mark;
    private final Supplier<Names> names;
    private final Clock clock;
    private final Consumer<String> news;
    private Optional<Migration> migration = Optional.empty();

    /**
     * @param links of the network file; none where the mesh is of a wg-quick file
     * @param mark of the interface's own packets
     * @param names what host names stand for by now
     */
    public WireGuardMesh(
            KeptDevice device,
            List<MeshLink> links,
            long mark,
            Supplier<Names> names,
            Clock clock,
            Consumer<String> news) {
        this.device = device;
        this.links = List.copyOf(links);
        this.mark = mark;
        this.names = names;
        this.clock = clock;
        this.news = news;
    }

    @Override
    public void chain(ExitNodePlan plan) {
        plan.mesh().ifPresent(device::keep);
        List<MovingPeer> peers = links.stream()
                .map(link -> NodeFile.moving(link, places(link)))
                .filter(peer -> !peer.places().isEmpty())
                .toList();
        if (migration.isEmpty() && !peers.isEmpty()) {
            migration = Optional.of(Migration.start(device, mark, clock, news));
        }
        migration.ifPresent(it -> it.follow(peers));
    }

    private List<InetSocketAddress> places(MeshLink link) {
        Names known = names.get();
        return link.candidates().stream()
                .flatMap(place ->
                        known.of(place.host()).stream().map(address -> new InetSocketAddress(address, place.port())))
                .distinct()
                .toList();
    }

    @Override
    public String describe() {
        return device.read()
                .map(state -> ExitNodePlan.MESH + ", " + device.implementation() + ", port " + state.listenPort() + ", "
                        + connected(state) + " of " + state.peers().size() + " clients have connected" + elsewhere())
                .orElse(ExitNodePlan.MESH + " is down");
    }

    /** Who is not where the file has him first. */
    private String elsewhere() {
        StringBuilder text = new StringBuilder();
        migration.ifPresent(it -> it.standings().forEach((name, standing) -> {
            if (standing.state() != Standing.State.PREFERRED) {
                text.append("; ").append(name).append(" ").append(standing.state());
                standing.endpoint().ifPresent(at -> text.append(" at ").append(Endpoint.of(at)));
            }
        }));
        return text.toString();
    }

    private static long connected(DeviceState state) {
        return state.peers().stream()
                .filter(peer -> peer.lastHandshake().isPresent())
                .count();
    }

    @Override
    public void unchain() {
        migration.ifPresent(Migration::close);
        migration = Optional.empty();
        device.remove();
    }
}
