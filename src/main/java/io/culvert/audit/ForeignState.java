// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.nft.Expression;
import io.culvert.nft.KernelChain;
import io.culvert.nft.KernelTable;
import io.culvert.nft.NfTables;
import io.culvert.nft.TableRule;
import io.culvert.rtnl.LookupRule;
import io.culvert.rtnl.LookupRule.Action;
import io.culvert.rtnl.RoutingState;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Names the rules and tables of other programs, and what they do. */
final class ForeignState {

    /** Where the kernel's own rules are, and the tables that they look up (net/ipv4/fib_rules.c, net/ipv6/fib6_rules.c). */
    private static final Map<Long, Long> KERNEL_RULES = Map.of(0L, 255L, 32766L, 254L, 32767L, 253L);

    /** What rules of other families than those of IP do to packets that no rule of Culvert sees. */
    private static final Map<String, String> UNSEEN =
            Map.of("fwd", "forwards packets to another interface (fwd)", "dup", "duplicates packets (dup)");

    private ForeignState() {}

    /** Returns what tables of netdev and bridge do to packets before or after all rules that are followed here. */
    static List<String> effects(List<KernelTable> tables) {
        Set<String> effects = new LinkedHashSet<>();
        for (KernelTable table : tables) {
            if (table.isDormant() || (table.family() != KernelTable.NETDEV && table.family() != KernelTable.BRIDGE)) {
                continue;
            }
            expressions(table)
                    .filter(expression -> UNSEEN.containsKey(expression.name()))
                    .forEach(expression ->
                            effects.add("table '" + table.fullName() + "' " + UNSEEN.get(expression.name())));
        }
        return List.copyOf(effects);
    }

    private static Stream<Expression> expressions(KernelTable table) {
        return table.chains().stream()
                .map(KernelChain::rules)
                .flatMap(List::stream)
                .map(TableRule::expressions)
                .flatMap(List::stream);
    }

    /**
     * Returns a sentence for each rule and table of another program.
     *
     * @param deciding the decisions on packets that may pass
     */
    static List<String> describe(RoutingState routing, List<KernelTable> tables, Set<String> deciding) {
        List<String> sentences = new ArrayList<>();
        routing.rules().stream()
                .filter(rule -> !rule.isOurs() && !isKernels(rule))
                .forEach(rule -> {
                    boolean decides = deciding.stream().anyMatch(step -> step.startsWith(rule.text() + ","));
                    sentences.add("rule '" + rule.text() + "' "
                            + (decides
                                    ? "routes packets that leave or come in"
                                    : "decides about no packet that leaves"));
                });
        for (KernelTable table : tables) {
            if (!Audit.isOurs(table) && !isLock(table)) {
                sentences.add("table '" + table.fullName() + "' " + effect(table, deciding));
            }
        }
        return sentences;
    }

    /** A table by which a running Culvert is recognized, or of its leak test. */
    private static boolean isLock(KernelTable table) {
        return table.family() == KernelTable.INET && table.name().startsWith("culvert-");
    }

    private static boolean isKernels(LookupRule rule) {
        return rule.action() instanceof Action.LookupTable lookup
                && Long.valueOf(lookup.table()).equals(KERNEL_RULES.get(rule.preference()))
                && rule.from().isEmpty()
                && rule.to().isEmpty()
                && rule.mark().isEmpty()
                && !rule.isInverted();
    }

    private static String effect(KernelTable table, Set<String> deciding) {
        if (table.isDormant()) {
            return "is switched off";
        }
        Set<String> effects = new LinkedHashSet<>();
        expressions(table).forEach(expression -> {
            switch (expression.name()) {
                case "nat", "masq", "redir" -> effects.add("translates addresses");
                case "target" -> target(expression.text(1).orElse(""), effects);
                case "reject" -> effects.add("blocks packets");
                case "dup", "fwd", "notrack", "queue", "tproxy" -> effects.add("has '" + expression.name() + "'");
                case "flow_offload" -> effects.add("forwards packets without evaluating rules");
                case "meta" -> {
                    if (expression.has(NfTables.NFTA_META_SREG)
                            && expression.is(NfTables.NFTA_META_KEY, NfTables.NFT_META_MARK)) {
                        effects.add("sets packet marks");
                    }
                }
                case "immediate" -> {
                    if (expression.verdict(NfTables.NFTA_IMMEDIATE_DATA).orElse(NfTables.NF_ACCEPT)
                            == NfTables.NF_DROP) {
                        effects.add("blocks packets");
                    }
                }
                default -> {}
            }
        });
        if (table.chains().stream().noneMatch(chain -> chain.hook().isPresent())) {
            return "has no base chain";
        }
        String prefix = "table " + table.fullName() + ",";
        boolean decides =
                deciding.stream().anyMatch(step -> step.startsWith(prefix) && !step.endsWith("policy accept"));
        String does = effects.isEmpty() ? "only accepts packets" : String.join(", ", effects);
        return decides ? does + "; its rules pass packets that leave or come in" : does;
    }

    private static void target(String name, Set<String> effects) {
        switch (name) {
            case "MASQUERADE", "SNAT", "DNAT", "REDIRECT", "NETMAP" -> effects.add("translates addresses");
            case "MARK" -> effects.add("sets packet marks");
            case "REJECT" -> effects.add("blocks packets");
            default -> effects.add("has the target " + name);
        }
    }
}
