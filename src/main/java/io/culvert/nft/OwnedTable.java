// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.netlink.NetlinkException;
import java.util.Map;
import java.util.Optional;

/**
 * A table that is needed for a moment. It has a netlink socket of its own and the flag "owner" (Linux 5.12): no other program can
 * change it, and the kernel removes it when this process exits, however it exits. Where the kernel has no such flag, only
 * {@link #close} removes it.
 */
public final class OwnedTable implements AutoCloseable {

    private static final Location LOCATION = Location.machine("nftables");

    private final Rulesets rulesets;
    private final Table.Id id;

    private OwnedTable(Rulesets rulesets, Table.Id id) {
        this.rulesets = rulesets;
        this.id = id;
    }

    /**
     * Creates the table in the network namespace of the calling thread.
     *
     * @throws ProblemException if the kernel refuses
     */
    public static OwnedTable create(Table table) {
        Rulesets rulesets = Rulesets.open();
        EncodedTable encoded = EncodedTable.of(table);
        Optional<RulesetTransaction.Refusal> refusal =
                rulesets.execute(new RulesetTransaction().create(encoded.withFlags(NfTables.NFT_TABLE_F_OWNER)));
        if (refusal.isPresent()) {
            refusal = rulesets.execute(new RulesetTransaction().create(encoded));
        }
        if (refusal.isPresent()) {
            rulesets.close();
            throw new ProblemException(Problem.failure(
                    LOCATION,
                    "the kernel refused the table " + table.id() + ": " + refusal.get(),
                    "run 'culvert check' to find missing requirements"));
        }
        return new OwnedTable(rulesets, table.id());
    }

    /**
     * Returns the packet counts of the rules with a counter, by the rule's comment; none if the table is gone.
     *
     * @throws NetlinkException if the kernel refuses
     */
    public Map<String, Long> counters() {
        return rulesets.counters(id);
    }

    @Override
    public void close() {
        rulesets.closeWith(id);
    }
}
