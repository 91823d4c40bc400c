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
        RuntimeResolvers resolvers,
        Machine machine,
        Names names,
        Optional<InetSocketAddress> roamed) {

    public ExitNodeInputs {
        meshes = List.copyOf(meshes);
    }

    /** Before the server has answered. */
    public ExitNodeInputs(
            Settings settings,
            WireGuardConfig server,
            List<PlainMesh> meshes,
            Tailnet tailnet,
            OptionalInt socksPort,
            int port,
            RuntimeResolvers resolvers,
            Machine machine,
            Names names) {
        this(settings, server, meshes, tailnet, socksPort, port, resolvers, machine, names, Optional.empty());
    }

    public ExitNodeInputs with(Machine other) {
        return new ExitNodeInputs(settings, server, meshes, tailnet, socksPort, port, resolvers, other, names, roamed);
    }

    public ExitNodeInputs with(Names other) {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port, resolvers, machine, other, roamed);
    }

    public ExitNodeInputs with(WireGuardConfig other) {
        return new ExitNodeInputs(settings, other, meshes, tailnet, socksPort, port, resolvers, machine, names, roamed);
    }

    public ExitNodeInputs with(Tailnet other) {
        return new ExitNodeInputs(settings, server, meshes, other, socksPort, port, resolvers, machine, names, roamed);
    }

    public ExitNodeInputs withRoamed(Optional<InetSocketAddress> now) {
        return new ExitNodeInputs(settings, server, meshes, tailnet, socksPort, port, resolvers, machine, names, now);
    }

    /** With the next port for the tunnel, as the one before is in use. */
    public ExitNodeInputs withNextPort() {
        return new ExitNodeInputs(
                settings, server, meshes, tailnet, socksPort, port + 1, resolvers, machine, names, roamed);
    }
}
