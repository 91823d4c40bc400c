package io.culvert.plan;

import io.culvert.network.Machine;
import io.culvert.settings.Settings;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * All that a plan follows from.
 *
 * @param server the provider's file in use
 * @param meshes the interfaces of the mesh, where it is plain WireGuard
 * @param tailnet what tailscaled has told of its network; nothing yet before it is logged in
 * @param socksPort where the proxy listens; empty when it is off
 * @param port how many of the UDP ports that the tunnel could have are passed over, being in use
 * @param dnsPort where our DNS stub listens
 * @param resolvers the runtime's own
 * @param roamed where the server has proved its key from, if not from its endpoint
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

    /** With the stub on another port. */
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

    /** With another port for the tunnel, as those before are in use. */
    ExitNodeInputs withPort(int passed) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, passed, dnsPort, resolvers, machine, names, roamed);
    }
}
