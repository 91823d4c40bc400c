// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A rule in the kernel's form, as it is sent or listed.
 *
 * @param comment empty if it has none
 * @param expressions a lookup in an anonymous set names it {@link EncodedSet#ANONYMOUS_NAME}
 * @param sets the anonymous sets of these lookups, in order
 */
record EncodedRule(String comment, List<Expression> expressions, List<EncodedSet> sets) {

    EncodedRule {
        expressions = List.copyOf(expressions);
        sets = List.copyOf(sets);
    }

    /** Returns whether a lookup is in an anonymous set. */
    static boolean isAnonymousLookup(Expression expression) {
        return expression.name().equals("lookup")
                && expression
                        .text(NfTables.NFTA_LOOKUP_SET)
                        .filter(EncodedSet.ANONYMOUS_NAME::equals)
                        .isPresent();
    }

    /** Returns how messages name it. */
    String describe(String chain) {
        return comment.isEmpty()
                ? "a rule without a comment in chain " + chain
                : "the rule '" + comment + "' of chain " + chain;
    }

    /** Returns whether the kernel's rule is as this one. */
    boolean isSameAs(EncodedRule listed) {
        if (!comment.equals(listed.comment)
                || expressions.size() != listed.expressions.size()
                || sets.size() != listed.sets.size()) {
            return false;
        }
        for (int i = 0; i < expressions.size(); i++) {
            if (!normalized(expressions.get(i)).equals(normalized(listed.expressions.get(i)))) {
                return false;
            }
        }
        for (int i = 0; i < sets.size(); i++) {
            if (!sets.get(i).isSameAs(listed.sets.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Returns an expression without what the kernel adds, or omits where it is the default. */
    private static Expression normalized(Expression expression) {
        return switch (expression.name()) {
            case "counter" -> Expression.of("counter");
            case "bitwise" -> withoutZero(expression, NfTables.NFTA_BITWISE_OP);
            case "exthdr" -> withoutZero(expression, NfTables.NFTA_EXTHDR_FLAGS);
            case "lookup" -> withoutZero(expression, NfTables.NFTA_LOOKUP_FLAGS);
            case "masq" -> withoutZero(expression, NfTables.NFTA_MASQ_FLAGS);
            case "nat" -> withoutImpliedFlags(expression, NfTables.NFTA_NAT_FLAGS);
            case "redir" -> withoutImpliedFlags(expression, NfTables.NFTA_REDIR_FLAGS);
            default -> expression;
        };
    }

    private static Expression withoutZero(Expression expression, int type) {
        return expression.is(type, 0) ? expression.without(type) : expression;
    }

    /** Removes the flags that say which registers there are. */
    private static Expression withoutImpliedFlags(Expression expression, int type) {
        int implied = NfTables.NF_NAT_RANGE_MAP_IPS | NfTables.NF_NAT_RANGE_PROTO_SPECIFIED;
        int flags = (int) expression.number(type).orElse(0) & ~implied;
        return flags == 0 ? expression.without(type) : expression.with(type, flags);
    }

    /** Returns a listed rule whose lookups refer to anonymous sets as those of a rule that is sent. */
    static EncodedRule listed(String comment, List<Expression> expressions, Map<String, EncodedSet> anonymousSets) {
        List<Expression> own = new ArrayList<>();
        List<EncodedSet> sets = new ArrayList<>();
        for (Expression expression : expressions) {
            EncodedSet set = expression.name().equals("lookup")
                    ? anonymousSets.get(
                            expression.text(NfTables.NFTA_LOOKUP_SET).orElse(""))
                    : null;
            if (set == null) {
                own.add(expression);
            } else {
                sets.add(set);
                own.add(expression.with(NfTables.NFTA_LOOKUP_SET, EncodedSet.ANONYMOUS_NAME));
            }
        }
        return new EncodedRule(comment, own, sets);
    }
}
