package io.culvert.tunnel;

import io.culvert.network.NetworkState;
import io.culvert.nft.NetworkClaim;
import io.culvert.nft.Nftables;
import io.culvert.plan.GuardRuleset;
import io.culvert.plan.Tunnels;
import io.culvert.problem.ProblemException;
import java.util.Optional;

/**
 * The claim of {@code culvert up} on the network namespace, held while a standalone tunnel is changed: both use the
 * same nftables table, and a {@code culvert up} that starts meanwhile would lose its kill switch.
 *
 * @param taken the claim; empty where a running {@code culvert up} holds it
 */
record ChainClaim(Optional<NetworkClaim> taken) implements AutoCloseable {

    static ChainClaim take() {
        return new ChainClaim(NetworkClaim.take(NetworkClaim.RUNS));
    }

    /**
     * Whether {@code culvert up} is running here, or has left its kill switch. One whose start was refused has left it
     * in nftables only.
     *
     * @param before the part of the network state that belongs to Culvert
     */
    boolean isRefused(Nftables nftables, NetworkState before) {
        return taken.isEmpty() || new Tunnels(before).besideChain() || isClosed(nftables);
    }

    private static boolean isClosed(Nftables nftables) {
        try {
            return nftables.matches(GuardRuleset.closed());
        } catch (ProblemException _) {
            return false; // Where nftables is not available, it blocks nothing.
        }
    }

    @Override
    public void close() {
        taken.ifPresent(NetworkClaim::close);
    }
}
