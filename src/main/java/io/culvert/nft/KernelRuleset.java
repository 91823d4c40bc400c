// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.List;
import java.util.Optional;

/**
 * The tables of all programs in a network namespace.
 *
 * @param generation of the ruleset, which every change increments; empty if other programs kept changing rulesets, so that
 *     the tables may be of several moments
 * @param unreadable the tables that are missing in {@code tables}, as the kernel lists something in them that is not known
 *     here: they may do anything
 */
public record KernelRuleset(Optional<Integer> generation, List<KernelTable> tables, List<Unreadable> unreadable) {

    /**
     * A table that cannot be decoded.
     *
     * @param table its full name in nft
     */
    public record Unreadable(String table, String reason) {}

    public KernelRuleset {
        tables = List.copyOf(tables);
        unreadable = List.copyOf(unreadable);
    }

    KernelRuleset at(Optional<Integer> newGeneration) {
        return new KernelRuleset(newGeneration, tables, unreadable);
    }
}
