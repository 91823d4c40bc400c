// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import io.culvert.diagnostics.ProblemException;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.nft.NetworkClaim;
import io.culvert.nft.Nftables;
import io.culvert.routing.ActiveTunnels;
import io.culvert.rtnl.NetworkState;
import java.util.Optional;

/**
 * The claim of {@code culvert up} on the network namespace, held while a standalone tunnel is changed: both use the
 * same nftables table, and a {@code culvert up} that starts meanwhile would lose its kill switch.
 *
 * @param claim the claim; empty where a running {@code culvert up} holds it
 */
record ExitNodeClaim(Optional<NetworkClaim> claim) implements AutoCloseable {

    static ExitNodeClaim take() {
        return new ExitNodeClaim(NetworkClaim.take(NetworkClaim.EXIT_NODE_TABLE));
    }

    /**
     * Whether {@code culvert up} is running here, or has left its kill switch. One whose start was refused has left it
     * in nftables only.
     *
     * @param before the part of the network state that belongs to Culvert
     */
    boolean isExitNodePresent(Nftables nftables, NetworkState before) {
        return claim.isEmpty() || new ActiveTunnels(before).hasExitNodeRules() || blocksAllTraffic(nftables);
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
        claim.ifPresent(NetworkClaim::close);
    }
}
