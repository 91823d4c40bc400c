package io.culvert.nft;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;

/** What a property is compared with. */
public sealed interface Value {

    /** Written in decimal. */
    record Decimal(long number) implements Value {}

    /** Written in hexadecimal: a mark. */
    record Bits(long bits) implements Value {}

    /** A number that nft has a word for; numbers go to the kernel, words to people. */
    record Word(String word, int number) implements Value {

        public static final Word ORIGINAL = new Word("original", 0);
        public static final Word REPLY = new Word("reply", 1);

        public static Word of(Transport transport) {
            return new Word(transport.toString(), transport.number());
        }

        /** {@code NFPROTO_IPV4} and {@code NFPROTO_IPV6} (include/uapi/linux/netfilter.h). */
        public static Word of(Family family) {
            return new Word(family == Family.IPV4 ? "ipv4" : "ipv6", family.number());
        }
    }

    /** A link's name, exactly: nft takes a final asterisk for a wildcard, so none is allowed. */
    record Link(String name) implements Value {

        public Link {
            if (!name.matches("[^\\s\"\\\\*/\\p{Cntrl}]{1,15}")) {
                throw new IllegalArgumentException("'" + name + "' is not the name of a link");
            }
        }
    }

    /** An address or a network. */
    record Address(Prefix prefix) implements Value {

        public Address {
            if (prefix.hasHostBits()) {
                throw new IllegalArgumentException(prefix + " has bits behind its prefix");
            }
            if (prefix.isDefault()) {
                // nft leaves such a match out, and the rule would then be for the other family too.
                throw new IllegalArgumentException(prefix + " is everything: leave the match out");
            }
        }

        public static Address of(InetAddress address) {
            return new Address(Prefix.host(address));
        }
    }

    /** Parts of an element of a set with a key of several parts. */
    record Tuple(List<Value> parts) implements Value {

        public Tuple {
            parts = List.copyOf(parts);
        }

        public static Tuple of(Value... parts) {
            return new Tuple(List.of(parts));
        }
    }

    /** One of several; made by {@link #anyOf}. */
    record AnyOf(List<Value> values) implements Value {

        public AnyOf {
            values = List.copyOf(values);
            if (values.size() < 2) {
                throw new IllegalArgumentException("a set of less than two says nothing");
            }
        }
    }

    /** An element of a {@link NamedSet} of the same table. */
    record In(String set) implements Value {

        public In {
            Table.requireIdentifier(set);
        }
    }

    /**
     * One of these values, each counted once.
     *
     * @param values at least one
     */
    static Value anyOf(Collection<? extends Value> values) {
        List<Value> distinct =
                values.stream().<Value>map(value -> value).distinct().toList();
        return distinct.size() == 1 ? distinct.getFirst() : new AnyOf(distinct);
    }

    static Value anyOf(Value... values) {
        return anyOf(List.of(values));
    }
}
