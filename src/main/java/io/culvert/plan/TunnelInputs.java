// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.WireGuardConfig;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;

/**
 * All inputs of the plan of a tunnel without a mesh.
 *
 * @param file the configuration; its name is the interface's
 * @param path of the tunnel's own packets
 * @param current Culvert's current network state on the machine: of this tunnel's earlier run, and of other tunnels
 * @param udpPorts UDP ports in use on the machine, but not by this tunnel
 * @param killSwitch whether the kill switch is enabled: nothing may leave outside the tunnel
 * @param candidates endpoint candidates of peers, in addition to their endpoints in the file
 */
public record TunnelInputs(
        WireGuardConfig file,
        Machine machine,
        ResolvedNames names,
        Path path,
        NetworkState current,
        Set<Integer> udpPorts,
        boolean killSwitch,
        Map<PublicKey, List<InetAddress>> candidates) {

    /** The fields that may be absent, by name. */
    public static final class Fields {
        public ResolvedNames names = ResolvedNames.NONE;
        public NetworkState current = NetworkState.EMPTY;
        public Set<Integer> udpPorts = Set.of();
        public boolean killSwitch;
        public Map<PublicKey, List<InetAddress>> candidates = Map.of();

        private Fields() {}
    }

    /** Returns the inputs with the fields that {@code others} sets. */
    public static TunnelInputs of(WireGuardConfig file, Machine machine, Path path, Consumer<Fields> others) {
        Fields fields = new Fields();
        others.accept(fields);
        return new TunnelInputs(
                file,
                machine,
                fields.names,
                path,
                fields.current,
                fields.udpPorts,
                fields.killSwitch,
                fields.candidates);
    }

    /** Looks up the path of a packet. */
    @FunctionalInterface
    public interface Path {

        /**
         * Returns the MTU of the path to an address in bytes; empty if there is no route.
         *
         * @param mark of the packet; 0 for none
         */
        OptionalInt mtu(InetAddress destination, long mark);
    }
}
