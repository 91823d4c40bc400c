// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.routing.TunnelIdentity;
import io.culvert.rtnl.Machine;
import io.culvert.settings.Settings;
import io.culvert.wireguard.config.WireGuardConfig;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * All inputs of an exit node's plan.
 *
 * @param identity link, table and marks of the tunnel
 * @param server the provider's file in use
 * @param paused whether the tunnel is to have no server
 * @param meshes the mesh interfaces, if the mesh is plain WireGuard
 * @param tailnet what tailscaled reports about its network; nothing before it is logged in
 * @param socksPort port of the proxy; empty if it is off
 * @param forwardedPort port that the provider forwards through the tunnel; empty if none
 * @param skippedPortCount number of candidates for the tunnel's UDP port that are skipped because they are in use
 * @param dnsPort port of the DNS stub
 * @param resolvers the DNS servers of the container runtime
 * @param roamedEndpoint address that the server authenticated from, if it is not its endpoint
 */
public record ExitNodeInputs(
        Settings settings,
        TunnelIdentity identity,
        WireGuardConfig server,
        boolean paused,
        List<WireGuardMeshInterface> meshes,
        Tailnet tailnet,
        OptionalInt socksPort,
        OptionalInt forwardedPort,
        int skippedPortCount,
        int dnsPort,
        RuntimeResolvers resolvers,
        Machine machine,
        ResolvedNames names,
        Optional<InetSocketAddress> roamedEndpoint) {

    public ExitNodeInputs {
        meshes = List.copyOf(meshes);
    }

    /** Returns the inputs of a first plan: nothing is resolved, reported or in use. */
    public static ExitNodeInputs of(
            Settings settings,
            TunnelIdentity identity,
            WireGuardConfig server,
            RuntimeResolvers resolvers,
            Machine machine) {
        return new Fields(settings, identity, server, resolvers, machine).inputs();
    }

    /** Returns the inputs with other values in the fields that {@code change} sets. */
    public ExitNodeInputs with(Consumer<Fields> change) {
        Fields fields = new Fields(settings, identity, server, resolvers, machine);
        fields.paused = paused;
        fields.meshes = meshes;
        fields.tailnet = tailnet;
        fields.socksPort = socksPort;
        fields.forwardedPort = forwardedPort;
        fields.skippedPortCount = skippedPortCount;
        fields.dnsPort = dnsPort;
        fields.names = names;
        fields.roamedEndpoint = roamedEndpoint;
        change.accept(fields);
        return fields.inputs();
    }

    /** The fields by name. */
    public static final class Fields {
        private final TunnelIdentity identity;
        public Settings settings;
        public WireGuardConfig server;
        public boolean paused;
        public List<WireGuardMeshInterface> meshes = List.of();
        public Tailnet tailnet = Tailnet.UNKNOWN;
        public OptionalInt socksPort = OptionalInt.empty();
        public OptionalInt forwardedPort = OptionalInt.empty();
        public int skippedPortCount;
        public int dnsPort = ExitNodePlan.STUB_PORT;
        public RuntimeResolvers resolvers;
        public Machine machine;
        public ResolvedNames names = ResolvedNames.NONE;
        public Optional<InetSocketAddress> roamedEndpoint = Optional.empty();

        private Fields(
                Settings settings,
                TunnelIdentity identity,
                WireGuardConfig server,
                RuntimeResolvers resolvers,
                Machine machine) {
            this.settings = settings;
            this.identity = identity;
            this.server = server;
            this.resolvers = resolvers;
            this.machine = machine;
        }

        private ExitNodeInputs inputs() {
            return new ExitNodeInputs(
                    settings,
                    identity,
                    server,
                    paused,
                    meshes,
                    tailnet,
                    socksPort,
                    forwardedPort,
                    skippedPortCount,
                    dnsPort,
                    resolvers,
                    machine,
                    names,
                    roamedEndpoint);
        }
    }
}
