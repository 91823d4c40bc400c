package io.culvert.exitnode;

import io.culvert.linux.Container;
import io.culvert.nft.Nftables;
import io.culvert.plan.GuardRuleset;
import io.culvert.problem.ProblemException;
import io.culvert.run.Journal;

/**
 * The kill switch before the settings are read: closed, whatever they say. So the time in which a neighbour process can send
 * past the tunnel does not grow with the settings, the files and the plan. The planned kill switch takes its place in one
 * transaction.
 */
final class FirstGuard {

    private final Nftables nftables;
    private final Container container;
    private final boolean fresh;

    private FirstGuard(Nftables nftables, Container container, boolean fresh) {
        this.nftables = nftables;
        this.container = container;
        this.fresh = fresh;
    }

    /**
     * Closes, in a container that has no kill switch yet: one that is there may be that of another Culvert, which is not to be
     * cut off. On a machine nothing is closed, for a mistyped setting must not cut off the person who mistyped it.
     *
     * @param container as far as it is known before the settings are read
     */
    static FirstGuard close(Nftables nftables, Container container) {
        return new FirstGuard(nftables, container, container.present() && closeWhereOpen(nftables));
    }

    private static boolean closeWhereOpen(Nftables nftables) {
        try {
            if (nftables.tables().contains(GuardRuleset.TABLE)) {
                return false;
            }
            nftables.apply(GuardRuleset.closed());
            return true;
        } catch (ProblemException _) {
            return false; // The planned kill switch will fail too, and say why.
        }
    }

    /**
     * Closes what an earlier run left, now that no other Culvert runs here: it admits what that run was allowed, and may have
     * been changed since by anybody.
     */
    void takeOver() {
        if (container.present() && !fresh) {
            try {
                nftables.apply(GuardRuleset.closed());
            } catch (ProblemException _) {
                // As above.
            }
        }
    }

    /** The kill switch of a container outlives the program. */
    static void tellThatItStays(Container container, Journal journal) {
        journal.info("kill switch: stays active, as this is a container (" + container.reason() + ")");
    }

    /**
     * After a start that was refused: in a container everything stays closed, on a machine it is as it was before.
     *
     * @param now as the settings say
     */
    void refused(Container now, Journal journal) {
        if (now.present()) {
            tellThatItStays(now, journal);
        } else if (fresh) {
            nftables.remove(GuardRuleset.ALL);
        }
    }
}
