package io.culvert.exitnode;

import io.culvert.linux.Container;
import io.culvert.nft.Nftables;
import io.culvert.plan.GuardRuleset;
import io.culvert.problem.ProblemException;
import io.culvert.run.Journal;

/**
 * The kill switch that is active before the settings are read: it blocks all traffic, whatever they say. So the time in
 * which another process of the network namespace can send outside the tunnel does not depend on the settings, the files
 * and the plan. The planned kill switch replaces it in one transaction.
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
     * Activates it in a container that has no kill switch yet: an existing one may belong to another running Culvert,
     * which must not be cut off. On a machine it does nothing, because a mistyped setting must not lock out its
     * administrator.
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
            return false; // The planned kill switch will fail too, and report why.
        }
    }

    /**
     * Replaces the kill switch that an earlier run left, now that no other Culvert is running here: it admits what that
     * run admitted, and any program may have changed it since.
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

    /** Logs that the kill switch of a container stays active after the program has exited. */
    static void tellThatItStays(Container container, Journal journal) {
        journal.info("kill switch: stays active because this is a container (" + container.reason() + ")");
    }

    /**
     * Handles a refused start: in a container the kill switch stays active, on a machine the state before is restored.
     *
     * @param now whether this is a container according to the settings
     */
    void refused(Container now, Journal journal) {
        if (now.present()) {
            tellThatItStays(now, journal);
        } else if (fresh) {
            nftables.remove(GuardRuleset.ALL);
        }
    }
}
