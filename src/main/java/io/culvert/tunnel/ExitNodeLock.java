// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import io.culvert.diagnostics.ProblemException;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.nft.NetworkNamespaceLock;
import io.culvert.nft.Nftables;
import io.culvert.routing.ActiveTunnels;
import io.culvert.rtnl.NetworkState;
import java.util.Optional;

/**
 * The claim of {@code culvert up} on the network namespace, held while a standalone tunnel is changed: both use the
 * same nftables table, and a {@code culvert up} that starts meanwhile would lose its kill switch.
 *
 * @param lock the claim; empty where a running {@code culvert up} holds it
 */
record ExitNodeLock(Optional<NetworkNamespaceLock> lock) implements AutoCloseable {

    static ExitNodeLock take() {
        return new ExitNodeLock(NetworkNamespaceLock.take(NetworkNamespaceLock.EXIT_NODE_TABLE));
    }

    /**
     * Whether {@code culvert up} is running here, or has left its kill switch. One whose start was refused has left it
     * in nftables only.
     *
     * @param before the part of the network state that belongs to Culvert
     */
    boolean isExitNodePresent(Nftables nftables, NetworkState before) {
        return lock.isEmpty() || new ActiveTunnels(before).hasExitNodeRules() || blocksAllTraffic(nftables);
    }

    private static boolean blocksAllTraffic(Nftables nftables) {
        try {
            return nftables.matches(KillSwitchRuleset.lockdown());
        } catch (ProblemException _) {
            return false; // Where nftables is not available, it blocks nothing.
        }
    }

    @Override
    public void close() {
        lock.ifPresent(NetworkNamespaceLock::close);
    }
}
