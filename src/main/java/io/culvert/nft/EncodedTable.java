// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A table in the kernel's form, as it is sent or listed, so that both can be compared.
 *
 * @param flags {@code NFT_TABLE_F_*}
 * @param sets the named sets and maps, by name
 * @param chains by name
 * @param others what else the table has, such as {@code flowtable f}
 */
record EncodedTable(
        Table.Id id, int flags, Map<String, EncodedSet> sets, Map<String, EncodedChain> chains, List<String> others) {

    /** Describes how the kernel's table differs from this one; empty if it does not. */
    List<String> differences(EncodedTable listed) {
        List<String> differences = new ArrayList<>();
        sorted(chains).forEach((name, chain) -> {
            EncodedChain other = listed.chains.get(name);
            if (other == null) {
                differences.add("the chain " + name + " is missing");
            } else if (!chain.isSameAs(other)) {
                differences.add("the chain " + name + " differs");
            }
        });
        sorted(sets).forEach((name, set) -> {
            EncodedSet other = listed.sets.get(name);
            if (other == null) {
                differences.add("the set " + name + " is missing");
            } else if (!set.isSameAs(other)) {
                differences.add("the set " + name + " differs");
            }
        });
        if (flags != listed.flags) {
            differences.add("the table " + id.name() + " differs");
        }
        unexpected("chain", chains, listed.chains, differences);
        unexpected("set", sets, listed.sets, differences);
        listed.others.forEach(other -> differences.add("the " + other + " is unexpected"));
        sorted(chains).forEach((name, chain) -> {
            EncodedChain other = listed.chains.get(name);
            compareRules(name, chain.rules(), other == null ? List.of() : other.rules(), differences);
        });
        listed.chains.forEach((name, chain) -> {
            if (!chains.containsKey(name)) {
                compareRules(name, List.of(), chain.rules(), differences);
            }
        });
        return differences;
    }

    private static <T> Map<String, T> sorted(Map<String, T> objects) {
        return new TreeMap<>(objects);
    }

    private static void unexpected(
            String kind, Map<String, ?> expected, Map<String, ?> listed, List<String> differences) {
        sorted(listed).keySet().stream()
                .filter(name -> !expected.containsKey(name))
                .forEach(name -> differences.add("the " + kind + " " + name + " is unexpected"));
    }

    private static void compareRules(
            String chain, List<EncodedRule> expectedRules, List<EncodedRule> listedRules, List<String> differences) {
        if (areSame(expectedRules, listedRules)) {
            return;
        }
        int before = differences.size();
        for (EncodedRule rule : expectedRules) {
            if (find(rule.comment(), listedRules).isEmpty()) {
                differences.add(rule.describe(chain) + " is missing");
            } else if (listedRules.stream().noneMatch(rule::isSameAs)) {
                differences.add(rule.describe(chain) + " differs");
            }
        }
        for (EncodedRule rule : listedRules) {
            if (find(rule.comment(), expectedRules).isEmpty()) {
                differences.add(rule.describe(chain) + " is unexpected");
            }
        }
        if (differences.size() == before) {
            differences.add("the rules of chain " + chain + " are out of order or duplicated");
        }
    }

    private static boolean areSame(List<EncodedRule> expected, List<EncodedRule> listed) {
        if (expected.size() != listed.size()) {
            return false;
        }
        for (int i = 0; i < expected.size(); i++) {
            if (!expected.get(i).isSameAs(listed.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static List<EncodedRule> find(String comment, List<EncodedRule> rules) {
        return rules.stream().filter(rule -> rule.comment().equals(comment)).toList();
    }

    EncodedTable withSets(Map<String, EncodedSet> newSets) {
        return new EncodedTable(id, flags, newSets, chains, others);
    }

    EncodedTable withFlags(int newFlags) {
        return new EncodedTable(id, newFlags, sets, chains, others);
    }

    /** Returns the desired table in the kernel's form. */
    static EncodedTable of(Table table) {
        Map<String, EncodedSet> sets = new LinkedHashMap<>();
        table.sets().forEach(set -> sets.put(set.name(), SetEncoder.named(set)));
        Map<String, EncodedChain> chains = new LinkedHashMap<>();
        table.chains()
                .forEach(chain ->
                        chains.put(chain.name(), RuleEncoder.chain(table.id().family(), chain)));
        return new EncodedTable(table.id(), 0, sets, chains, List.of());
    }
}
