package io.culvert.plan;

import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.wireguard.PublicKey;
import io.culvert.wireguard.WireGuardConfig;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * All that a tunnel without a mesh depends on.
 *
 * @param file its name is the interface's
 * @param path of the tunnel's own packets
 * @param present what is ours on the machine already: this tunnel's earlier run, and other tunnels
 * @param udpPorts in use on the machine, but not by this tunnel
 * @param killSwitch whether nothing may leave beside it
 * @param candidates where peers are, or may be found, besides their endpoints in the file
 */
public record TunnelInputs(
        WireGuardConfig file,
        Machine machine,
        Names names,
        Path path,
        NetworkState present,
        Set<Integer> udpPorts,
        boolean killSwitch,
        Map<PublicKey, List<InetAddress>> candidates) {

    /** How the machine would send a packet. */
    @FunctionalInterface
    public interface Path {

        /**
         * What the way to an address carries, in bytes; empty where there is none.
         *
         * @param mark of the packet; 0 for none
         */
        OptionalInt mtu(InetAddress destination, long mark);
    }
}
