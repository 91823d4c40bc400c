// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.rtnl.Machine;
import io.culvert.settings.Settings;
import io.culvert.wireguard.config.WireGuardConfig;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * All inputs of an exit node's plan.
 *
 * @param server the provider's file in use
 * @param meshes the mesh interfaces, if the mesh is plain WireGuard
 * @param tailnet what tailscaled reports about its network; nothing before it is logged in
 * @param socksPort port of the proxy; empty if it is off
 * @param port number of candidates for the tunnel's UDP port that are skipped because they are in use
 * @param dnsPort port of the DNS stub
 * @param resolvers the DNS servers of the container runtime
 * @param roamedEndpoint address that the server authenticated from, if it is not its endpoint
 */
public record ExitNodeInputs(
        Settings settings,
        WireGuardConfig server,
        List<WireGuardMeshInterface> meshes,
        Tailnet tailnet,
        OptionalInt socksPort,
        int port,
        int dnsPort,
        RuntimeResolvers resolvers,
        Machine machine,
        ResolvedNames names,
        Optional<InetSocketAddress> roamedEndpoint) {

    public ExitNodeInputs {
        meshes = List.copyOf(meshes);
    }

    /** Returns the inputs with the DNS stub on another port. */
    public ExitNodeInputs withDnsPort(int other) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port, other, resolvers, machine, names, roamedEndpoint);
    }

    public ExitNodeInputs with(Machine other) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port, dnsPort, resolvers, other, names, roamedEndpoint);
    }

    public ExitNodeInputs with(ResolvedNames other) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port, dnsPort, resolvers, machine, other, roamedEndpoint);
    }

    public ExitNodeInputs with(WireGuardConfig other) {
        return new ExitNodeInputs(
                settings, other, meshes, tailnet, socksPort, port, dnsPort, resolvers, machine, names, roamedEndpoint);
    }

    public ExitNodeInputs with(Tailnet other) {
        return new ExitNodeInputs(
                settings, server, meshes, other, socksPort, port, dnsPort, resolvers, machine, names, roamedEndpoint);
    }

    public ExitNodeInputs withRoamedEndpoint(Optional<InetSocketAddress> now) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port, dnsPort, resolvers, machine, names, now);
    }

    /** Returns the inputs with the first candidates for the tunnel's port skipped, as they are in use. */
    ExitNodeInputs withPort(int skipped) {
        return new ExitNodeInputs(
                settings,
                server,
                meshes,
                tailnet,
                socksPort,
                skipped,
                dnsPort,
                resolvers,
                machine,
                names,
                roamedEndpoint);
    }
}
