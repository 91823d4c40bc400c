// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.firewall.KillSwitchInput;
import io.culvert.net.Prefix;
import io.culvert.routing.ExitNodeRouting;
import io.culvert.settings.TailscaleSettings;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * A mesh interface, either Tailscale's or plain WireGuard.
 *
 * @param killSwitchInput the interface as an input of the kill switch
 * @param peers the prefixes behind it; empty if Tailscale sets the routes to them
 */
record MeshInterface(KillSwitchInput.Mesh killSwitchInput, List<Prefix> peers) {

    /** Returns the mesh interfaces: several if the mesh is plain WireGuard and the node is in several subnets. */
    static List<MeshInterface> of(ExitNodeInputs inputs) {
        return Stream.concat(
                        inputs.meshes().stream().map(MeshInterface::wireGuard),
                        inputs.settings().mesh().tailscale().stream().map(it -> tailscale(it, inputs.tailnet())))
                .toList();
    }

    private static MeshInterface wireGuard(WireGuardMeshInterface mesh) {
        List<Prefix> peers = ExitNodeChecks.allowedIps(mesh.file());
        return new MeshInterface(
                KillSwitchInput.Mesh.of(KillSwitchInput.Mesh.Kind.WIREGUARD, mesh.link(), it -> {
                    it.addresses = mesh.file().addresses().stream()
                            .map(Prefix::address)
                            .toList();
                    it.port = mesh.file().listenPort();
                    it.reach = Stream.concat(
                                    peers.stream(),
                                    mesh.file().addresses().stream().map(Prefix::network))
                            .distinct()
                            .toList();
                }),
                peers);
    }

    private static MeshInterface tailscale(TailscaleSettings settings, Tailnet tailnet) {
        return new MeshInterface(
                KillSwitchInput.Mesh.of(KillSwitchInput.Mesh.Kind.TAILSCALE, settings.interfaceName(), it -> {
                    it.addresses = tailnet.addresses();
                    it.port = settings.port();
                    it.reach = Stream.concat(Tailnet.RANGES.stream(), tailnet.reach().stream())
                            .distinct()
                            .toList();
                    it.subnets = settings.routes();
                    it.masquerades = settings.usesSnat();
                    it.serverPorts = serverPorts(settings, tailnet);
                }),
                List.of());
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

    String link() {
        return killSwitchInput.link();
    }

    /** Returns the UDP port on which peers reach this node from the uplink. */
    OptionalInt port() {
        return killSwitchInput.port();
    }

    List<Prefix> reach() {
        return killSwitchInput.reach();
    }

    List<Prefix> subnets() {
        return killSwitchInput.subnets();
    }

    /**
     * Returns the interface as an input of the routing rules.
     *
     * @param ipv6Blocked whether its link carries no IPv6
     */
    ExitNodeRouting.Mesh routingInput(boolean ipv6Blocked) {
        long table = switch (killSwitchInput.kind()) {
            case WIREGUARD -> ExitNodeRouting.MESH_TABLE;
            case TAILSCALE -> ExitNodeRouting.TAILSCALE_TABLE;
        };
        return new ExitNodeRouting.Mesh(link(), table, peers, reach(), subnets(), ipv6Blocked);
    }
}
