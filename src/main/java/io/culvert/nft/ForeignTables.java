// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.MaskedMark;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Finds rules of other programs whose effect no verdict of Culvert's rules can undo. A verdict ends the evaluation of
 * its own table only, but packets that are copied, forwarded from an interface's own hook, or no longer tracked never
 * reach Culvert's rules, or not as what they are.
 */
final class ForeignTables {

    /** Expressions with their effect beyond their own table. */
    private static final Map<String, String> EXPRESSIONS = Map.of(
            "dup", "duplicates packets (dup)",
            "fwd", "forwards packets to another interface (fwd)",
            "flow_offload", "forwards packets without evaluating rules (flow table)",
            "notrack", "disables connection tracking (notrack)");

    private static final String NOTRACK = "disables connection tracking (NOTRACK)";

    /** The same by the names of iptables targets. */
    private static final Map<String, String> TARGETS = Map.of("TEE", "duplicates packets (TEE)", "NOTRACK", NOTRACK);

    /** {@code XT_CT_NOTRACK} (include/uapi/linux/netfilter/xt_CT.h), by which iptables' NOTRACK is a CT. */
    private static final int CT_NOTRACK = 1;

    private final List<MaskedMark> acceptedMarks;
    private final Set<String> effects = new LinkedHashSet<>();
    private final Map<String, List<MarkBits>> marksByTable = new LinkedHashMap<>();

    /** @param acceptedMarks firewall marks that the kill switch accepts; other programs must not set them */
    ForeignTables(List<MaskedMark> acceptedMarks) {
        this.acceptedMarks = List.copyOf(acceptedMarks);
    }

    /**
     * Adds a table.
     *
     * @param table its full name
     * @param maps returns the values of a map of this table; empty if they are not known
     */
    void add(String table, List<TableRule> rules, Function<String, Optional<List<byte[]>>> maps) {
        List<MarkBits> marks = new ArrayList<>();
        for (TableRule rule : rules) {
            rule.expressions().stream()
                    .flatMap(expression -> effect(expression).stream())
                    .forEach(effect -> add(table, effect));
            marks.addAll(MarkTracker.marks(rule.expressions(), maps));
        }
        marksByTable.put(table, marks);
    }

    /** Adds a table that cannot be listed. */
    void addUnknown(String table, RuntimeException reason) {
        add(table, "cannot be listed: " + reason.getMessage());
    }

    private void add(String table, String effect) {
        effects.add("foreign table '" + table + "' " + effect);
    }

    /** Returns a description of each kind of such a rule, without a full stop. */
    List<String> describe() {
        int settable = marksByTable.values().stream()
                .flatMap(List::stream)
                .mapToInt(MarkBits::settable)
                .reduce(0, (bits, more) -> bits | more);
        marksByTable.forEach((table, marks) -> {
            if (marks.stream()
                    .anyMatch(
                            mark -> acceptedMarks.stream().anyMatch(accepted -> mark.mayBecome(accepted, settable)))) {
                add(table, "sets a firewall mark that the kill switch accepts");
            }
        });
        return List.copyOf(effects);
    }

    private static Optional<String> effect(Expression expression) {
        if (!expression.name().equals("target")) {
            return Optional.ofNullable(EXPRESSIONS.get(expression.name()));
        }
        String target = expression.text(MarkTracker.TARGET_NAME).orElse("");
        return target.equals("CT") && isNotrack(expression)
                ? Optional.of(NOTRACK)
                : Optional.ofNullable(TARGETS.get(target));
    }

    /** Returns whether {@code flags} of struct xt_ct_target_info says so. */
    private static boolean isNotrack(Expression target) {
        return target.bytes(MarkTracker.TARGET_INFO)
                .filter(info -> info.length >= Short.BYTES
                        && (ByteBuffer.wrap(info).order(ByteOrder.nativeOrder()).getShort() & CT_NOTRACK) != 0)
                .isPresent();
    }
}
