// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A desired nftables table as a whole: it is always replaced, never modified.
 *
 * @param chains the comment of each rule is unique in a table, so that it identifies the rule
 */
public record Table(Id id, List<NamedSet> sets, List<Chain> chains) {

    /** The address family of a table. */
    public enum Family {
        /** IPv4 and IPv6; {@code NFPROTO_INET} (include/uapi/linux/netfilter.h). */
        INET(1),
        /** {@code NFPROTO_ARP}. */
        ARP(3);

        private final int number;

        Family(int number) {
            this.number = number;
        }

        /** Returns the kernel's number of the family. */
        int number() {
            return number;
        }

        /** Returns the name in nft. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The full name of a table. */
    public record Id(Family family, String name) {

        public Id {
            requireIdentifier(name);
        }

        /**
         * Returns whether a table that the kernel lists is this one.
         *
         * @param familyNumber {@code NFPROTO_*} (include/uapi/linux/netfilter.h)
         */
        boolean is(int familyNumber, String tableName) {
            return family.number() == familyNumber && name.equals(tableName);
        }

        @Override
        public String toString() {
            return family + " " + name;
        }
    }

    public Table {
        sets = List.copyOf(sets);
        chains = List.copyOf(chains);
        Set<String> comments = new HashSet<>();
        for (Chain chain : chains) {
            for (NftRule rule : chain.rules()) {
                if (!comments.add(rule.comment())) {
                    throw new IllegalArgumentException("two rules have the comment '" + rule.comment() + "'");
                }
            }
        }
    }

    /** Requires a valid identifier of nft, because names are not quoted in its syntax. */
    static void requireIdentifier(String name) {
        if (!isIdentifier(name)) {
            throw new IllegalArgumentException("'" + name + "' is not an identifier of nftables");
        }
    }

    static boolean isIdentifier(String name) {
        return name.matches("[A-Za-z_][A-Za-z0-9_-]{0,63}");
    }
}
