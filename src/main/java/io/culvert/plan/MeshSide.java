package io.culvert.plan;

import io.culvert.ip.Prefix;
import io.culvert.settings.TailscaleSettings;
import java.net.InetAddress;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * An interface of the mesh, whatever makes it.
 *
 * @param addresses of this node in it, as far as they are known
 * @param port over UDP, where peers reach this node by the uplink
 * @param peers the prefixes behind it; empty where Tailscale keeps the routes to them
 * @param reach where packets may go by this interface, and by no other: the mesh's own addresses, and routes of its peers
 * @param subnets that peers reach past the tunnel, because the user said so
 * @param translated whether Tailscale gives what it forwards another source address
 * @param servers TCP ports of Tailscale's control server and relays
 */
record MeshSide(
        GuardInput.Mesh.Kind kind,
        String link,
        List<InetAddress> addresses,
        OptionalInt port,
        List<Prefix> peers,
        List<Prefix> reach,
        List<Prefix> subnets,
        boolean translated,
        List<Integer> servers) {

    /** Several where the mesh is plain WireGuard, and the node in several subnets of a network file. */
    static List<MeshSide> of(ExitNodeInputs inputs) {
        return Stream.concat(
                        inputs.meshes().stream().map(MeshSide::plain),
                        inputs.settings().mesh().tailscale().stream().map(it -> tailscale(it, inputs.tailnet())))
                .toList();
    }

    private static MeshSide plain(PlainMesh mesh) {
        return new MeshSide(
                GuardInput.Mesh.Kind.WIREGUARD,
                mesh.link(),
                mesh.file().addresses().stream().map(Prefix::address).toList(),
                mesh.file().listenPort(),
                ExitNodeChecks.allowedIps(mesh.file()),
                Stream.concat(
                                ExitNodeChecks.allowedIps(mesh.file()).stream(),
                                mesh.file().addresses().stream().map(Prefix::network))
                        .distinct()
                        .toList(),
                List.of(),
                false,
                List.of());
    }

    private static MeshSide tailscale(TailscaleSettings settings, Tailnet tailnet) {
        return new MeshSide(
                GuardInput.Mesh.Kind.TAILSCALE,
                settings.link(),
                tailnet.addresses(),
                settings.port(),
                List.of(),
                Stream.concat(Tailnet.RANGES.stream(), tailnet.reach().stream())
                        .distinct()
                        .toList(),
                settings.routes(),
                settings.masquerades(),
                servers(settings, tailnet));
    }

    /**
     * The control server's port, those that Tailscale tries whatever the server's address says, and those of the relays (tailscale:
     * control/controlhttp, derp/derphttp).
     */
    private static List<Integer> servers(TailscaleSettings settings, Tailnet tailnet) {
        return Stream.concat(Stream.of(80, 443, settings.control().port()), tailnet.relayPorts().stream())
                .distinct()
                .sorted()
                .toList();
    }

    GuardInput.Mesh guarded() {
        return new GuardInput.Mesh(kind, link, addresses, port, reach, subnets, translated, servers);
    }

    /** @param ipv6Closed whether its link carries no IPv6, so that nobody is reached by it */
    ExitNodeRouting.Mesh routed(boolean ipv6Closed) {
        long table = switch (kind) {
            case WIREGUARD -> ExitNodeRouting.MESH_TABLE;
            case TAILSCALE -> ExitNodeRouting.TAILSCALE_TABLE;
        };
        return new ExitNodeRouting.Mesh(link, table, peers, reach, subnets, ipv6Closed);
    }
}
