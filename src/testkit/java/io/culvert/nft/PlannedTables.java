// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.ArrayList;
import java.util.List;

/** Planned tables, as the kernel would list them once they are applied. */
public final class PlannedTables {

    private PlannedTables() {}

    public static List<KernelTable> of(List<Table> tables) {
        return tables.stream().map(table -> listing(EncodedTable.of(table))).toList();
    }

    private static KernelTable listing(EncodedTable table) {
        List<KernelSet> sets = new ArrayList<>();
        table.sets().values().forEach(set -> sets.add(listing(set, set.name())));
        List<KernelChain> chains = new ArrayList<>();
        long handle = 0;
        for (EncodedChain chain : table.chains().values()) {
            List<TableRule> rules = new ArrayList<>();
            for (EncodedRule rule : chain.rules()) {
                handle++;
                rules.add(new TableRule(handle, rule.comment(), expressions(rule, sets)));
            }
            chains.add(new KernelChain(
                    chain.name(),
                    chain.hook()
                            .map(hook -> new KernelChain.Hook(
                                    hook.type(),
                                    hook.number(),
                                    hook.priority(),
                                    hook.policy() == NfTables.NF_ACCEPT,
                                    List.of())),
                    rules));
        }
        return new KernelTable(table.id().family().number(), table.id().name(), false, chains, sets, List.of());
    }

    /** Returns the expressions with names of anonymous sets, and adds these sets. */
    private static List<Expression> expressions(EncodedRule rule, List<KernelSet> sets) {
        List<Expression> expressions = new ArrayList<>();
        int anonymous = 0;
        for (Expression expression : rule.expressions()) {
            if (EncodedRule.isAnonymousLookup(expression)) {
                String name = "__set" + sets.size();
                sets.add(listing(rule.sets().get(anonymous), name));
                anonymous++;
                expressions.add(expression.with(NfTables.NFTA_LOOKUP_SET, name));
            } else {
                expressions.add(expression);
            }
        }
        return expressions;
    }

    /** The elements take the way of a listing: they are written as messages and decoded. */
    private static KernelSet listing(EncodedSet set, String name) {
        ElementDecoder decoder = new ElementDecoder(set);
        int index = 0;
        while (index < set.elements().size()) {
            var message = NfTables.message(0);
            index = set.elements().write(message, index, set.elements().size(), set.timeout());
            decoder.add(message.toByteArray());
        }
        return new KernelSet(
                name,
                set.keyLength(),
                decoder.fields(),
                (set.flags() & NfTables.NFT_SET_MAP) != 0,
                (set.flags() & NfTables.NFT_SET_EVAL) != 0,
                decoder.elements());
    }
}
