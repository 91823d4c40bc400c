// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.firewall.KillSwitchInput;
import io.culvert.net.Prefix;
import io.culvert.routing.ExitNodeRouting;
import io.culvert.settings.TailscaleSettings;
import java.net.InetAddress;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * A mesh interface, either Tailscale's or plain WireGuard.
 *
 * @param addresses of this node in it, as far as they are known
 * @param port UDP port on which peers reach this node from the uplink
 * @param peers the prefixes behind it; empty if Tailscale sets the routes to them
 * @param reach destinations that are reached through this interface and through no other: the mesh's own addresses, and
 *     routes of its peers
 * @param subnets subnets that peers reach outside the tunnel, as set by the user
 * @param masquerades whether Tailscale masquerades the packets that it forwards
 * @param serverPorts TCP ports of Tailscale's control server and relays
 */
record MeshInterface(
        KillSwitchInput.Mesh.Kind kind,
        String link,
        List<InetAddress> addresses,
        OptionalInt port,
        List<Prefix> peers,
        List<Prefix> reach,
        List<Prefix> subnets,
        boolean masquerades,
        List<Integer> serverPorts) {

    /** Returns the mesh interfaces: several if the mesh is plain WireGuard and the node is in several subnets. */
    static List<MeshInterface> of(ExitNodeInputs inputs) {
        return Stream.concat(
                        inputs.meshes().stream().map(MeshInterface::wireGuard),
                        inputs.settings().mesh().tailscale().stream().map(it -> tailscale(it, inputs.tailnet())))
                .toList();
    }

    private static MeshInterface wireGuard(WireGuardMeshInterface mesh) {
        return new MeshInterface(
                KillSwitchInput.Mesh.Kind.WIREGUARD,
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

    private static MeshInterface tailscale(TailscaleSettings settings, Tailnet tailnet) {
        return new MeshInterface(
                KillSwitchInput.Mesh.Kind.TAILSCALE,
                settings.interfaceName(),
                tailnet.addresses(),
                settings.port(),
                List.of(),
                Stream.concat(Tailnet.RANGES.stream(), tailnet.reach().stream())
                        .distinct()
                        .toList(),
                settings.routes(),
                settings.usesSnat(),
                serverPorts(settings, tailnet));
    }

    /**
     * Returns the control server's port, the ports that Tailscale tries whatever the server's URL says, and those of
     * the relays (tailscale: control/controlhttp, derp/derphttp).
     */
    private static List<Integer> serverPorts(TailscaleSettings settings, Tailnet tailnet) {
        return Stream.concat(Stream.of(80, 443, settings.controlServer().port()), tailnet.relayPorts().stream())
                .distinct()
                .sorted()
                .toList();
    }

    KillSwitchInput.Mesh killSwitchInput() {
        return new KillSwitchInput.Mesh(kind, link, addresses, port, reach, subnets, masquerades, serverPorts);
    }

    /**
     * Returns the interface as an input of the routing rules.
     *
     * @param ipv6Blocked whether its link carries no IPv6
     */
    ExitNodeRouting.Mesh routingInput(boolean ipv6Blocked) {
        long table = switch (kind) {
            case WIREGUARD -> ExitNodeRouting.MESH_TABLE;
            case TAILSCALE -> ExitNodeRouting.TAILSCALE_TABLE;
        };
        return new ExitNodeRouting.Mesh(link, table, peers, reach, subnets, ipv6Blocked);
    }
}
