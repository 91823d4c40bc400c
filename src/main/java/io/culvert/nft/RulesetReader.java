// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.diagnostics.ProblemException;
import io.culvert.netlink.MalformedMessageException;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkSockets;
import java.util.Optional;

/**
 * Reads the tables of all programs, in the network namespace of the thread that opened it, without changing anything. Not
 * thread-safe.
 */
public final class RulesetReader implements AutoCloseable {

    private final Rulesets rulesets;
    private Optional<KernelRuleset> last = Optional.empty();

    private RulesetReader(Rulesets rulesets) {
        this.rulesets = rulesets;
    }

    /**
     * Opens the rulesets of the calling thread's network namespace.
     *
     * @throws ProblemException of kind MACHINE if the kernel has no netfilter
     */
    public static RulesetReader open() {
        return open(NetlinkSockets.KERNEL);
    }

    /**
     * Opens the rulesets of the calling thread's network namespace.
     *
     * @throws ProblemException of kind MACHINE if the kernel has no netfilter
     */
    public static RulesetReader open(NetlinkSockets sockets) {
        return new RulesetReader(Nftables.openRulesets(sockets));
    }

    /**
     * Returns all tables. While the kernel's generation of the ruleset is the same, nothing is read again: packets change only
     * what is marked as dynamic or conditional.
     *
     * @throws ProblemException of kind FAILURE if the kernel refuses, or lists something that belongs to no table
     */
    public KernelRuleset read() {
        try {
            Optional<Integer> generation = rulesets.generation();
            if (generation.isPresent()
                    && last.filter(it -> it.generation().equals(generation)).isPresent()) {
                return last.get();
            }
            KernelRuleset ruleset = rulesets.readAll();
            last = Optional.of(ruleset);
            return ruleset;
        } catch (NetlinkException | MalformedMessageException e) {
            throw Nftables.listingFailed(e);
        }
    }

    @Override
    public void close() {
        rulesets.close();
    }
}
