package io.culvert.nft;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * One nftables table as it should be, whole: it is always replaced, never patched.
 *
 * @param chains every rule's comment stands once only in a table, so that a rule can be named by it
 */
public record Table(Id id, List<NamedSet> sets, List<Chain> chains) {

    /** The packets a table sees. */
    public enum Family {
        /** IPv4 and IPv6; {@code NFPROTO_INET} (include/uapi/linux/netfilter.h). */
        INET(1),
        /** {@code NFPROTO_ARP}. */
        ARP(3);

        private final int number;

        Family(int number) {
            this.number = number;
        }

        /** The kernel's own number. */
        int number() {
            return number;
        }

        /** nft's own word. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** A table's full name. */
    public record Id(Family family, String name) {

        public Id {
            requireIdentifier(name);
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
            for (Rule rule : chain.rules()) {
                if (!comments.add(rule.comment())) {
                    throw new IllegalArgumentException("two rules say '" + rule.comment() + "'");
                }
            }
        }
    }

    /** Names are written bare into nft's syntax, so they must be of its identifiers. */
    static void requireIdentifier(String name) {
        if (!isIdentifier(name)) {
            throw new IllegalArgumentException("'" + name + "' cannot name anything in nftables");
        }
    }

    static boolean isIdentifier(String name) {
        return name.matches("[A-Za-z_][A-Za-z0-9_-]{0,63}");
    }
}
