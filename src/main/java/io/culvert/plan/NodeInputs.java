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

    public NodeInputs {
        interfaces = List.copyOf(interfaces);
        forwards = List.copyOf(forwards);
        candidates = Map.copyOf(candidates);
    }
}
