package io.culvert.tunnel;

import io.culvert.network.NetworkState;
import io.culvert.nft.NetworkClaim;
import io.culvert.nft.Nftables;
import io.culvert.plan.GuardRuleset;
import io.culvert.plan.Tunnels;
import io.culvert.problem.ProblemException;
import java.util.Optional;

/**
 * The claim of {@code culvert up}, while a tunnel alone is changed: both have the same nftables table, and one that starts
 * meanwhile would lose its kill switch.
 *
 * @param taken empty where {@code culvert up} has it
 */
record ChainClaim(Optional<NetworkClaim> taken) implements AutoCloseable {

    static ChainClaim take() {
        return new ChainClaim(NetworkClaim.take(NetworkClaim.RUNS));
    }

    /**
     * Whether {@code culvert up} runs here, or has left its kill switch. One that was refused has left it in nftables only.
     *
     * @param before what is ours
     */
    boolean isRefused(Nftables nftables, NetworkState before) {
        return taken.isEmpty() || new Tunnels(before).besideChain() || isClosed(nftables);
    }

    private static boolean isClosed(Nftables nftables) {
        try {
            return nftables.matches(GuardRuleset.closed());
        } catch (ProblemException _) {
            return false; // Where nftables cannot be used, nothing is closed by it.
        }
    }

    @Override
    public void close() {
        taken.ifPresent(NetworkClaim::close);
    }
}
