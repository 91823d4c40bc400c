// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import io.culvert.nft.Table;
import io.culvert.nft.TableMutant;
import io.culvert.nft.TableMutations;
import io.culvert.plan.ExitNodePlan;
import io.culvert.rtnl.NetworkMutant;
import io.culvert.rtnl.NetworkMutations;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.PolicyRule;
import io.culvert.rtnl.PolicyRule.Action;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A plan with one change, which both the model and a kernel can be given.
 *
 * @param name what is changed, and how
 * @param family of the packets that the change is about; empty for both
 */
public record PlanMutant(
        Change change, Piece piece, String name, Optional<Family> family, NetworkState network, List<Table> ruleset) {

    /** The kinds of changes. */
    public enum Change {
        REMOVED,
        WIDENED,
        REORDERED;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What a change is made in. */
    public enum Piece {
        NFTABLES,
        ROUTING,
        /** A table about ARP, which decides about no IP packet. */
        ARP
    }

    public PlanMutant {
        ruleset = List.copyOf(ruleset);
    }

    /** Returns every change of every rule, route, routing rule, chain policy and element of a set. */
    public static List<PlanMutant> all(ExitNodePlan plan) {
        List<PlanMutant> mutants = new ArrayList<>();
        add(mutants, Change.REMOVED, plan, NetworkMutations.removals(plan.network()));
        add(mutants, Change.WIDENED, plan, NetworkMutations.widenings(plan.network()));
        add(mutants, Change.REORDERED, plan, NetworkMutations.reorderings(plan.network()));
        for (Table table : plan.ruleset()) {
            add(mutants, Change.REMOVED, plan, table, TableMutations.removals(table));
            add(mutants, Change.WIDENED, plan, table, TableMutations.widenings(table));
            add(mutants, Change.REORDERED, plan, table, TableMutations.reorderings(table));
        }
        return mutants;
    }

    private static void add(List<PlanMutant> mutants, Change change, ExitNodePlan plan, List<NetworkMutant> changes) {
        changes.forEach(it -> mutants.add(new PlanMutant(
                change, Piece.ROUTING, it.name(), Optional.of(it.family()), it.network(), plan.ruleset())));
    }

    private static void add(
            List<PlanMutant> mutants, Change change, ExitNodePlan plan, Table table, List<TableMutant> changes) {
        changes.forEach(it -> mutants.add(new PlanMutant(
                change,
                table.id().family() == Table.Family.ARP ? Piece.ARP : Piece.NFTABLES,
                it.name(),
                it.family(),
                plan.network(),
                plan.ruleset().stream()
                        .map(other -> other.equals(table) ? it.table() : other)
                        .toList())));
    }

    /** Returns whether the kernel refuses it: a rule continues with later rules only ({@code fib_nl_newrule}). */
    public boolean isRefused() {
        return network.rules().stream().anyMatch(PlanMutant::jumpsBack);
    }

    private static boolean jumpsBack(PolicyRule rule) {
        return rule.action() instanceof Action.Goto(int target) && target <= rule.preference();
    }

    @Override
    public String toString() {
        return change + ": " + name;
    }
}
