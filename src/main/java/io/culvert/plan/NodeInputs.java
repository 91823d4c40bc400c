// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.networkfile.Forward;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.WireGuardConfig;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * All inputs of a mesh node's plan.
 *
 * @param node its name, by which its links are recognized
 * @param interfaces with endpoints that are addresses; a peer without one keeps its current endpoint
 * @param forwards what the node forwards for others
 * @param current Culvert's current network state on the machine
 * @param candidates endpoint candidates of peers
 */
public record NodeInputs(
        String node,
        List<WireGuardConfig> interfaces,
        List<Forward> forwards,
        Machine machine,
        TunnelInputs.Path path,
        NetworkState current,
        Map<PublicKey, List<InetAddress>> candidates) {

    /** The fields that may be absent, by name. */
    public static final class Fields {
        public List<Forward> forwards = List.of();
        public NetworkState current = NetworkState.EMPTY;
        public Map<PublicKey, List<InetAddress>> candidates = Map.of();

        private Fields() {}
    }

    /** Returns the inputs with the fields that {@code others} sets. */
    public static NodeInputs of(
            String node,
            List<WireGuardConfig> interfaces,
            Machine machine,
            TunnelInputs.Path path,
            Consumer<Fields> others) {
        Fields fields = new Fields();
        others.accept(fields);
        return new NodeInputs(node, interfaces, fields.forwards, machine, path, fields.current, fields.candidates);
    }

    public NodeInputs {
        interfaces = List.copyOf(interfaces);
        forwards = List.copyOf(forwards);
        candidates = Map.copyOf(candidates);
    }
}
