package io.culvert.plan;

import io.culvert.network.Machine;
import io.culvert.settings.Settings;
import io.culvert.wireguard.WireGuardConfig;
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
 * @param roamed address that the server authenticated from, if it is not its endpoint
 */
public record ExitNodeInputs(
        Settings settings,
        WireGuardConfig server,
        List<PlainMesh> meshes,
        Tailnet tailnet,
        OptionalInt socksPort,
        int port,
        int dnsPort,
        RuntimeResolvers resolvers,
        Machine machine,
        Names names,
        Optional<InetSocketAddress> roamed) {

    public ExitNodeInputs {
        meshes = List.copyOf(meshes);
    }

    /** Returns the inputs with the DNS stub on another port. */
    public ExitNodeInputs withDnsPort(int other) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port, other, resolvers, machine, names, roamed);
    }

    public ExitNodeInputs with(Machine other) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port, dnsPort, resolvers, other, names, roamed);
    }

    public ExitNodeInputs with(Names other) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port, dnsPort, resolvers, machine, other, roamed);
    }

    public ExitNodeInputs with(WireGuardConfig other) {
        return new ExitNodeInputs(
                settings, other, meshes, tailnet, socksPort, port, dnsPort, resolvers, machine, names, roamed);
    }

    public ExitNodeInputs with(Tailnet other) {
        return new ExitNodeInputs(
                settings, server, meshes, other, socksPort, port, dnsPort, resolvers, machine, names, roamed);
    }

    public ExitNodeInputs withRoamed(Optional<InetSocketAddress> now) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port, dnsPort, resolvers, machine, names, now);
    }

    /** Returns the inputs with the first candidates for the tunnel's port skipped, as they are in use. */
    ExitNodeInputs withPort(int passed) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, passed, dnsPort, resolvers, machine, names, roamed);
    }
}
