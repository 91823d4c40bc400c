package io.culvert.exitnode;

import io.culvert.nft.Nftables;
import io.culvert.plan.GuardRuleset;
import io.culvert.plan.Marks;
import io.culvert.problem.ProblemException;

/**
 * The guard before the settings are read: closed, whatever they say. So the time in which a neighbour process can send past
 * the tunnel does not grow with the settings, the files and the plan. The planned guard takes its place in one transaction.
 */
final class FirstGuard {

    private final Nftables nftables;
    private final boolean ours;

    private FirstGuard(Nftables nftables, boolean ours) {
        this.nftables = nftables;
        this.ours = ours;
    }

    /**
     * Closes, where the network is the container's and no guard of an earlier run stands: on a machine, a mistyped setting must
     * not cut off who mistyped it, not even for a moment. Where it cannot be, the planned guard will fail too, and say why.
     */
    static FirstGuard close(Nftables nftables) {
        try {
            if (!Chain.dieWithNamespace() || nftables.tables().contains(GuardRuleset.TABLE)) {
                return new FirstGuard(nftables, false);
            }
            nftables.apply(GuardRuleset.closed(Marks.DEFAULT));
            return new FirstGuard(nftables, true);
        } catch (ProblemException _) {
            return new FirstGuard(nftables, false);
        }
    }

    /** As it was before: nothing of a start that fails remains. */
    void open() {
        if (ours) {
            nftables.remove(GuardRuleset.ALL);
        }
    }
}
