// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;

/** The right side of a match: what a property is compared with. */
public sealed interface NftValue {

    /** A number, written in decimal. */
    record Decimal(long number) implements NftValue {}

    /** A firewall mark, written in hexadecimal. */
    record Bits(long bits) implements NftValue {}

    /** A number that has a name in nft: the kernel gets the number, text has the name. */
    record Word(String word, int number) implements NftValue {

        public static final Word ORIGINAL = new Word("original", 0);
        public static final Word REPLY = new Word("reply", 1);

        /** Returns the word for a transport protocol. */
        public static Word of(Transport transport) {
            return new Word(transport.toString(), transport.number());
        }

        /** Returns {@code NFPROTO_IPV4} or {@code NFPROTO_IPV6} (include/uapi/linux/netfilter.h). */
        public static Word of(Family family) {
            return new Word(family == Family.IPV4 ? "ipv4" : "ipv6", family.number());
        }
    }

    /** The exact name of an interface: nft treats a trailing asterisk as a wildcard, so none is allowed. */
    record Link(String name) implements NftValue {

        public Link {
            if (!name.matches("[^\\s\"\\\\*/\\p{Cntrl}]{1,15}")) {
                throw new IllegalArgumentException("'" + name + "' is not the name of an interface");
            }
        }
    }

    /** An address or a network. */
    record Address(Prefix prefix) implements NftValue {

        public Address {
            if (prefix.hasHostBits()) {
                throw new IllegalArgumentException(prefix + " has bits after its prefix");
            }
            if (prefix.isDefault()) {
                // nft omits such a match, and the rule would apply to the other family, too.
                throw new IllegalArgumentException(prefix + " matches everything: omit the match");
            }
        }

        public static Address of(InetAddress address) {
            return new Address(Prefix.host(address));
        }
    }

    /** An element of a set whose key is a concatenation. */
    record Tuple(List<NftValue> parts) implements NftValue {

        public Tuple {
            parts = List.copyOf(parts);
        }

        public static Tuple of(NftValue... parts) {
            return new Tuple(List.of(parts));
        }
    }

    /** An anonymous set, created by {@link #anyOf}. */
    record AnyOf(List<NftValue> values) implements NftValue {

        public AnyOf {
            values = List.copyOf(values);
            if (values.size() < 2) {
                throw new IllegalArgumentException("an anonymous set needs at least two values");
            }
        }
    }

    /** The elements of a {@link NamedSet} of the same table. */
    record In(String set) implements NftValue {

        public In {
            Table.requireIdentifier(set);
        }
    }

    /**
     * Returns a value that matches any of these values.
     *
     * @param values at least one
     */
    static NftValue anyOf(Collection<? extends NftValue> values) {
        List<NftValue> distinct =
                values.stream().<NftValue>map(value -> value).distinct().toList();
        return distinct.size() == 1 ? distinct.getFirst() : new AnyOf(distinct);
    }

    static NftValue anyOf(NftValue... values) {
        return anyOf(List.of(values));
    }
}
