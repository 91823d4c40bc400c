package io.culvert.plan;

import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.topology.Forward;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;

/**
 * All that a node of a mesh depends on.
 *
 * @param node its name, by which its links are known as its own
 * @param interfaces with endpoints that are addresses; a peer without one stays where it is
 * @param forwards what it passes on for others
 * @param present what is ours on the machine already
 * @param candidates where peers are, or may be found
 */
public record NodeInputs(
        String node,
        List<WireGuardConfig> interfaces,
        List<Forward> forwards,
        Machine machine,
        TunnelInputs.Path path,
        NetworkState present,
        Map<PublicKey, List<InetAddress>> candidates) {

    public NodeInputs {
        interfaces = List.copyOf(interfaces);
        forwards = List.copyOf(forwards);
        candidates = Map.copyOf(candidates);
    }
}
